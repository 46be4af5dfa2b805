"""The anchor set of a night: sent to the judge, stored in `anchor_grades`, and compared with earlier nights.

Every request is sent, whatever is stored of other nights: a stored reply says nothing about the judge of tonight. A
night that is run again goes on where it ended.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flows import progress
from flows.config import Config, why_not_sent
from flows.evaluate.anchor.anchor_past import land_tests
from flows.evaluate.anchor.anchor_set import FEWEST, Anchor, anchor_sets
from flows.evaluate.anchor.people import Key
from flows.evaluate.criteria import SINGLE, Criterion, Judge, JudgeRequest, judge_requests, read_verdict
from flows.evaluate.generate import ANCHOR_KEY, RunBudget, anchor_run_id, anchors_usd, ask_all, budget_of, read_journal
from flows.evaluate.setup import EvalSetup
from flows.lake import from_rows
from flows.llm import Answer, ClientFactory, close_clients, paced_clients
from flows.stats.sample import rank

log = logging.getLogger(__name__)

_OF_ANSWER = (
    *("response_id", "model_served", "system_fingerprint", "status", "error_type", "error_message"),
    *("latency_ms", "cost_usd"),
)


@dataclass(frozen=True)
class Regraded:
    """How many requests for verdicts were sent, of how many; and the p-value of a judge that did not change."""

    asked: int = 0
    wanted: int = 0
    p_value: float | None = None


@dataclass(frozen=True)
class _Request:
    """One request about one answer of the anchor set."""

    anchor: Anchor
    criterion: Criterion
    request: JudgeRequest
    repeat: int

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The conversation with the judge."""
        return self.request.messages

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters of the request."""
        return self.request.params

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of `anchor_grades` that are known before the answer."""
        return {
            "request_hash": self.request.request_hash,
            **dict(zip(("route", "criterion", "criterion_version"), self.anchor.key, strict=True)),
            "subject_id": self.anchor.subject_id,
            "repeat": self.repeat,
            "label_passed": self.anchor.passed,
        }


def regrade_anchors(setup: EvalSetup, day: date, clients: ClientFactory | None = None) -> Regraded:
    """Grade the anchor set in the night of `day`, and write the comparison with the judge's past to `anchor_tests`.

    Nothing is written without a judge, or without a criterion that has `FEWEST` labelled answers. What the share of the
    budget does not cover is not sent; the answers are asked in the same order each night.
    """
    config = setup.config
    if config.models is None or config.judge is None or not config.models.anchor.answers:
        return Regraded()
    judged = _judged(setup)
    sets = anchor_sets(config.open_lake(), day, judged.keys(), max(FEWEST, config.models.anchor.answers))
    if not sets:
        return Regraded()
    wanted = _requests(judged, sets, config.models.anchor.repeats)
    if why := why_not_sent(config.judge):
        progress.tell(f"the anchor set is left out: {len(wanted):,} requests {why}")
        return Regraded(0, len(wanted))
    asked = _grade(config, day, wanted, clients)
    p_value = land_tests(config, day, config.judge.name, sorted({key[:2] for key in judged}), sets)
    found = Regraded(asked, len(wanted), p_value)
    log.info("anchors graded: %s", found)
    return found


def _judged(setup: EvalSetup) -> dict[Key, Criterion]:
    """The criteria that the judge decides by looking at one answer."""
    return {
        (route, one.name, one.version): one
        for route, criteria in setup.criteria.items()
        for one in criteria
        if isinstance(one.definition, Judge) and not one.is_pairwise
    }


def _requests(judged: Mapping[Key, Criterion], sets: Mapping[Key, Sequence[Anchor]], repeats: int) -> list[_Request]:
    """In an order that mixes the sets: a budget that ends early leaves a part of each."""
    found = [
        _Request(anchor, judged[key], judge_requests(judged[key], key[0], anchor.case)[0], repeat)
        for key, anchors in sets.items()
        for anchor in anchors
        for repeat in range(repeats)
    ]
    return sorted(found, key=lambda one: (one.repeat, rank(*one.anchor.key, one.anchor.subject_id)))


def _grade(config: Config, day: date, wanted: Sequence[_Request], clients: ClientFactory | None) -> int:
    """Send what the night has no verdict on yet, and write `anchor_grades`; returns the number sent."""
    lake, run_id = config.open_lake(), anchor_run_id(day)
    journal = lake.journal(run_id)
    before = [*lake.read("anchor_grades", day, run_id).to_pylist(), *read_journal(journal)]
    known = {_place(row) for row in before if row["status"] == "ok"}
    todo = [one for one in wanted if _place(one.columns) not in known]
    budget = _budget(config, day)
    asked = asyncio.run(_send(config, todo, budget, clients, day)) if todo else 0
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in [*lake.read("anchor_grades", day, run_id).to_pylist(), *read_journal(journal)]:
        earlier = rows.get(_place(row))
        if earlier is None or earlier["status"] != "ok":
            rows[_place(row)] = row
    if rows:
        lake.write("anchor_grades", day, from_rows(rows.values(), "anchor_grades"), run_id)
    journal.unlink(missing_ok=True)
    return asked


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ANCHOR_KEY)


def _budget(config: Config, day: date) -> RunBudget:
    """The share of the budget that is for the anchor set, or what the night has left, if that is less."""
    assert config.models is not None
    if config.budget.usd is None:
        return RunBudget(None)
    spent = anchors_usd(config.open_lake(), day)
    left = budget_of(config, day, anchor_run_id(day)).left
    return RunBudget(min(config.models.anchor.budget_share * config.budget.usd, spent + left), spent)


async def _send(
    config: Config, todo: Sequence[_Request], budget: RunBudget, clients: ClientFactory | None, day: date
) -> int:
    assert config.judge is not None
    run_id, judge = anchor_run_id(day), config.judge.name
    client = (clients or paced_clients(config.budget))(config.judge)

    def row_of(one: _Request, answer: Answer) -> dict[str, Any]:
        known = {name: value for name, value in vars(answer).items() if name in _OF_ANSWER}
        return {"run_id": run_id, "judge": judge, **one.columns, **known, **_verdict(one, answer)}

    try:
        return await ask_all(
            todo,
            lambda one: client,
            row_of,
            config.open_lake().journal(run_id),
            budget,
            concurrency=config.budget.concurrency,
            total=len(todo),
        )
    finally:
        await close_clients()


def _verdict(one: _Request, answer: Answer) -> dict[str, Any]:
    """Whether the judge passes the answer, and why; None where its reply is no verdict."""
    assert isinstance(one.criterion.definition, Judge)
    assert one.request.order == SINGLE
    found = read_verdict("binary", answer.text or "", answer.finish_reason) if answer.status == "ok" else None
    if found is None:
        return {"verdict": None, "reason": None}
    return {"verdict": found.verdict == (one.criterion.definition.pass_if or "yes"), "reason": found.reason}

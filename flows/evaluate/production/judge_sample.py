"""The sample of a day's production answers that is sent to the LLM judge, and its scores.

Of a route's n answers the k with the smallest ranks (flows/stats/sample.py) are taken: a simple random sample in which
each answer has the probability k / n, and the same sample however often the day is scored.
"""

import heapq
import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa

from flows.config import Config, unset_variables
from flows.evaluate.criteria import Case, Criterion, Judge, judge_requests, score_from_replies
from flows.evaluate.examples import messages_of
from flows.evaluate.generate import RunBudget, ask_judge, budget_of, judge_replies, production_run_id
from flows.evaluate.production.production_criteria import rows_of
from flows.evaluate.setup import IDENTITY, EvalSetup
from flows.lake import rows_with
from flows.llm import ClientFactory
from flows.stats.sample import rank

_COLUMNS = ("call_id", "model_served", "messages_json", "input_text", "output_text")


@dataclass(frozen=True)
class Drawn:
    """Of `n` calls the ranks and ids of some with the smallest ranks, in order."""

    n: int
    ranked: list[tuple[str, str]]


def drawn_of(call_ids: Sequence[str], size: int) -> Drawn:
    """The `size` calls with the smallest ranks."""
    return Drawn(len(call_ids), heapq.nsmallest(size, ((rank(call_id), call_id) for call_id in call_ids)))


@dataclass
class Sample:
    """The `size` calls of a route with the smallest ranks so far, of `n` offered; `criteria` are the judge criteria."""

    route: str
    criteria: tuple[Criterion, ...]
    size: int
    n: int = 0
    _drawn: list[tuple[str, str]] = field(default_factory=list)

    def offer(self, call_ids: list[str]) -> None:
        """Take more calls into account."""
        self.take(drawn_of(call_ids, self.size))

    def take(self, drawn: Drawn) -> None:
        """Take calls into account of which only those matter that `drawn_of` has found."""
        self.n += drawn.n
        self._drawn = heapq.nsmallest(self.size, itertools.chain(self._drawn, drawn.ranked))

    def call_ids(self, size: int) -> list[str]:
        """The ids of the `size` calls with the smallest ranks, the smallest first."""
        return [call_id for _, call_id in self._drawn[:size]]


def samples(setup: EvalSetup, only: Collection[tuple[str, str]] | None = None) -> dict[str, Sample]:
    """An empty sample for each route with a binary judge criterion, by the route's name.

    `only` are the routes and criteria that matter; None means all.
    """
    found = {}
    for name, criteria in setup.criteria.items():
        mine = tuple(
            one
            for one in criteria
            if not one.is_pairwise and size_of(one) and (only is None or (name, one.name) in only)
        )
        if mine:
            found[name] = Sample(name, mine, max(map(size_of, mine)))
    return found


def size_of(criterion: Criterion) -> int:
    """The number of answers per day and route that a criterion sends to the judge; 0 for code criteria."""
    return criterion.definition.samples_per_day if isinstance(criterion.definition, Judge) else 0


def score_samples(
    config: Config,
    day: date,
    night: date,
    drawn: Iterable[Sample],
    *,
    clients: ClientFactory | None,
    ask: bool,
    budget: RunBudget | None = None,
) -> Iterator[pa.Table]:
    """Rows of `scores` for the samples. New judge requests are sent only if `ask` is true; else stored replies count.

    The samples are of answers of `day`; the requests are paid from the `budget`, by default that of `night`. While an
    environment variable is not set that is part of what a judge's scores are known by, the stored scores stay.
    """
    drawn = list(drawn)
    if config.judge and unset_variables(config.judge.model_dump(include=IDENTITY)):
        yield _stored_scores(config, day, drawn)
        return
    parts = [(sample, one, sample.call_ids(size_of(one))) for sample in drawn for one in sample.criteria]
    calls = _read(config, day, {call_id for *_, ids in parts for call_id in ids})
    requests = {
        (sample.route, one.name, call_id): judge_requests(one, sample.route, _case(calls[call_id]))
        for sample, one, ids in parts
        for call_id in ids
    }
    every = [request for found in requests.values() for request in found]
    hashes = {request.request_hash for request in every}
    replies = judge_replies(config, day, hashes)
    if ask:
        run_id = production_run_id(night)
        left = budget or budget_of(config, night, run_id)
        ask_judge(config, day, run_id, every, left, clients=clients, stored=replies)
        replies = judge_replies(config, day, hashes)
    for sample, one, ids in parts:
        found = {key: score_from_replies(one, requests[sample.route, one.name, key], replies) for key in ids}
        known = [key for key in ids if ask or requests[sample.route, one.name, key][0].request_hash in replies]
        if known:
            answers = pa.Table.from_pylist([calls[key] for key in known])
            scores = [found[key] for key in known]
            probability = min(1.0, size_of(one) / sample.n)
            yield rows_of(answers, sample.route, one.name, one.version, scores, probability=probability)


def judged_hashes(setup: EvalSetup, route: str, call: dict[str, Any]) -> set[str]:
    """The hashes of the requests by which a call of production is judged, by the criteria as they are now.

    `call` has the columns messages_json, input_text and output_text.
    """
    mine = (one for one in setup.criteria.get(route, ()) if isinstance(one.definition, Judge) and not one.is_pairwise)
    case = _case(call)
    return {request.request_hash for one in mine if one.judge for request in judge_requests(one, route, case)}


def _stored_scores(config: Config, day: date, drawn: Iterable[Sample]) -> pa.Table:
    """The rows of `scores` that the day has for the criteria of the samples."""
    stored = config.open_lake().read("scores", day, production_run_id(day))
    judged = {(sample.route, one.name) for sample in drawn for one in sample.criteria}
    pairs = zip(stored["route"].to_pylist(), stored["criterion"].to_pylist(), strict=True)
    return stored.filter(pa.array([pair in judged for pair in pairs], pa.bool_()))


def _read(config: Config, day: date, call_ids: set[str]) -> dict[str, dict[str, Any]]:
    found = rows_with(config.open_lake(), "interactions", day, key="call_id", values=call_ids, columns=_COLUMNS)
    return {row["call_id"]: row for row in found.to_pylist()}


def _case(call: dict[str, Any]) -> Case:
    return Case(messages_of(call), call["output_text"])

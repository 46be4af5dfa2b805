"""Send requests to the LLM judge, and write its replies to `judgements` before anything is scored.

A request that has a stored reply is not sent again: the judge is pinned, and the request_hash covers the model, its
parameters and all messages.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flows.config import Config
from flows.evaluate.criteria import SINGLE, JudgeRequest, Mode, Reply, read_verdict
from flows.evaluate.generate.budget import judge_journal
from flows.evaluate.generate.journal import read_journal
from flows.evaluate.generate.request_runner import RunBudget, ask_all
from flows.evaluate.generate.requests import Row
from flows.lake import each_day, from_rows
from flows.llm import Answer, ClientFactory, LiteLLMClient, Pacer, close_clients

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JudgingResult:
    """Judge requests sent now, replies reused, and how many of both contain no verdict."""

    asked: int = 0
    reused: int = 0
    without_verdict: int = 0
    spent_usd: float = 0.0
    budget_ran_out: bool = False

    def summary(self) -> str:
        """One line for people."""
        stopped = "; the budget ran out" if self.budget_ran_out else ""
        sent = f"{self.asked:,} judge requests sent, {self.reused:,} replies reused"
        return f"{sent}, {self.without_verdict:,} replies without a verdict{stopped}"


def judge_replies(config: Config, day: date) -> dict[str, Reply]:
    """Stored replies of the trailing window up to `day`, by request_hash. A success wins over a failure.

    Verdicts are read again from the stored texts, so that replies of any night count by the same rule.
    """
    lake, found = config.open_lake(), dict[str, Reply]()
    for past in each_day(day - timedelta(days=config.window_days), day):
        for row in lake.read("judgements", past, columns=_READ).to_pylist():
            if row["status"] == "ok" or row["request_hash"] not in found:
                found[row["request_hash"]] = row | _verdict_of(row)
    return found


_READ = ("request_hash", "status", "error_type", "order", "output_text", "finish_reason")


def ask_judge(
    config: Config,
    day: date,
    run_id: str,
    requests: Iterable[JudgeRequest],
    budget: RunBudget,
    *,
    clients: ClientFactory | None = None,
) -> JudgingResult:
    """Send the judge requests that have no reply yet, and write the replies as the file `run_id` of the day.

    Requests that the budget does not cover are not sent. Each reply goes to a journal as it arrives.
    """
    lake = config.open_lake()
    journal, before = judge_journal(lake, day, run_id), budget.spent
    stored = judge_replies(config, day)
    stored |= {row["request_hash"]: row for row in read_journal(journal) if row["status"] == "ok"}
    wanted: set[str] = set()
    todo: list[JudgeRequest] = []
    for request in requests:
        if request.request_hash not in wanted and stored.get(request.request_hash, {}).get("status") != "ok":
            todo.append(request)
        wanted.add(request.request_hash)
    todo.sort(key=lambda request: request.request_hash not in stored)  # what failed before is sent first
    asked = asyncio.run(_run_requests(config, run_id, todo, journal, budget, clients=clients)) if todo else 0
    landed = lake.read("judgements", day, run_id).to_pylist()
    rows = {row["request_hash"]: row | _verdict_of(row) for row in (*landed, *read_journal(journal))}
    if rows:
        lake.write("judgements", day, from_rows(rows.values(), "judgements"), run_id)
    journal.unlink(missing_ok=True)
    stored |= {key: row for key, row in rows.items() if row["status"] == "ok"}
    without_verdict = sum(
        key in stored and stored[key]["status"] == "ok" and not stored[key]["verdict"] for key in wanted
    )
    judged = JudgingResult(asked, len(wanted) - len(todo), without_verdict, budget.spent - before, budget.is_exhausted)
    log.info("judged: %s", judged.summary())
    return judged


async def _run_requests(
    config: Config,
    run_id: str,
    todo: Sequence[JudgeRequest],
    journal: Path,
    budget: RunBudget,
    *,
    clients: ClientFactory | None,
) -> int:
    """Write the replies to `todo` to the journal; returns their number."""
    assert config.judge is not None
    limits = config.budget
    pacer = Pacer(limits.requests_per_minute, limits.tokens_per_minute)
    make = clients or (lambda model: LiteLLMClient(model, pacer))
    client, judge = make(config.judge), config.judge.name
    try:
        return await ask_all(
            todo,
            lambda request: client,
            lambda request, answer: {**_row(request, answer), "run_id": run_id, "judge": judge},
            journal,
            budget,
            concurrency=limits.concurrency,
            total=len(todo),
        )
    finally:
        await close_clients()


def _row(request: JudgeRequest, answer: Answer) -> Row:
    answer_columns = asdict(answer)
    text = answer_columns.pop("text")
    del answer_columns["native_finish_reason"], answer_columns["output_json"]
    request_columns: Mapping[str, Any] = {
        key: value for key, value in vars(request).items() if key not in ("messages", "params")
    }
    row = {**request_columns, **answer_columns, "output_text": text}
    return row | _verdict_of(row)


def _verdict_of(row: Row) -> Row:
    """The columns `verdict` and `reason` of a reply, from its `output_text`; None where it is not a verdict."""
    mode: Mode = "binary" if row["order"] == SINGLE else "pairwise"
    text, finish_reason = row["output_text"] or "", row["finish_reason"]
    found = read_verdict(mode, text, finish_reason) if row["status"] == "ok" else None
    return {"verdict": found.verdict if found else None, "reason": found.reason if found else None}

"""Send requests to the LLM judge, and write its replies to `judgements` before anything is scored.

A request that has a stored verdict is not sent again: the judge is pinned, and the request_hash covers the model, its
parameters and all messages. A failure, and a reply without a verdict, are no answer: the next run sends the request
again, on the same day and on later ones.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows import progress
from flows.config import Config, why_not_sent
from flows.evaluate.criteria import SINGLE, JudgeRequest, Mode, Reply, read_verdict
from flows.evaluate.generate.budget import judge_journal
from flows.evaluate.generate.journal import read_journal
from flows.evaluate.generate.request_runner import RunBudget, ask_all
from flows.evaluate.generate.requests import Row
from flows.lake import each_day, from_rows
from flows.llm import Answer, ClientFactory, close_clients, paced_clients

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


def judge_replies(config: Config, day: date, wanted: Collection[str] | None = None) -> dict[str, Reply]:
    """Stored replies of the trailing window up to `day`, by request_hash: of several the one that says most, a verdict
    more than another reply, and that more than a failure; of equals the latest.

    `wanted` are the hashes of the requests that matter; None means all. Verdicts are read again from the stored texts,
    so that replies of any night count by the same rule.
    """
    lake, found = config.open_lake(), dict[str, Reply]()
    hashes = None if wanted is None else pa.array(sorted(wanted), pa.string())
    for past in each_day(day - timedelta(days=config.window_days), day):
        rows = lake.read("judgements", past, columns=_READ)
        if hashes is not None:
            rows = rows.filter(pc.is_in(rows["request_hash"], hashes))
        for reply in _with_verdicts(rows.to_pylist()):
            before = found.get(reply["request_hash"])
            if before is None or _worth(reply) >= _worth(before):
                found[reply["request_hash"]] = reply
    return found


def _worth(reply: Reply) -> tuple[bool, bool]:
    return reply["verdict"] is not None, reply["status"] == "ok"


_READ = ("request_hash", "status", "error_type", "order", "output_text", "finish_reason")


def ask_judge(
    config: Config,
    day: date,
    run_id: str,
    requests: Iterable[JudgeRequest],
    budget: RunBudget,
    *,
    clients: ClientFactory | None = None,
    stored: Mapping[str, Reply] | None = None,
) -> JudgingResult:
    """Send the judge requests that have no verdict yet, and write the replies as the file `run_id` of the day.

    Requests that the budget does not cover are not sent, nor is any while an environment variable of the judge is not
    set. Each reply goes to a journal as it arrives. `stored` is what `judge_replies` has for the requests; by default
    all is read.
    """
    lake = config.open_lake()
    journal, before = judge_journal(lake, day, run_id), budget.spent
    stored = judge_replies(config, day) if stored is None else dict(stored)
    stored |= {row["request_hash"]: row for row in _with_verdicts(read_journal(journal)) if row["verdict"]}
    wanted: set[str] = set()
    todo: list[JudgeRequest] = []
    for request in requests:
        if request.request_hash not in wanted and not stored.get(request.request_hash, {}).get("verdict"):
            todo.append(request)
        wanted.add(request.request_hash)
    reused = len(wanted) - len(todo)
    if todo and config.judge and (why := why_not_sent(config.judge)):
        progress.tell(f"the judge is left out: {len(todo):,} requests {why}")
        todo = []
    todo.sort(key=lambda request: request.request_hash not in stored)  # what failed before is sent first
    asked = asyncio.run(_run_requests(config, run_id, todo, journal, budget, clients=clients)) if todo else 0
    landed = lake.read("judgements", day, run_id).to_pylist()
    rows = _one_of_each(_with_verdicts((*landed, *read_journal(journal))))
    if rows:
        lake.write("judgements", day, from_rows(rows.values(), "judgements"), run_id)
    journal.unlink(missing_ok=True)
    stored |= {key: row for key, row in rows.items() if row["status"] == "ok"}
    without_verdict = sum(
        key in stored and stored[key]["status"] == "ok" and not stored[key]["verdict"] for key in wanted
    )
    judged = JudgingResult(asked, reused, without_verdict, budget.spent - before, budget.is_exhausted)
    log.info("judged: %s", judged.summary())
    return judged


def _with_verdicts(rows: Iterable[Row]) -> Iterator[Row]:
    return (row | _verdict_of(row) for row in rows)


def _one_of_each(rows: Iterable[Row]) -> dict[str, Row]:
    """The last of the rows of each request, by request_hash. It has the cost of all: what was paid counts."""
    found: dict[str, Row] = {}
    for row in rows:
        before = found.get(row["request_hash"])
        if before is None:
            found[row["request_hash"]] = row
        elif not _is_same(before, row):  # of a run that was killed, a reply is in both places
            found[row["request_hash"]] = row | {"cost_usd": _sum(before["cost_usd"], row["cost_usd"])}
    return found


def _is_same(one: Row, other: Row) -> bool:
    return all(one.get(key) == other.get(key) for key in ("response_id", "latency_ms", "output_text", "error_message"))


def _sum(one: float | None, other: float | None) -> float | None:
    return other if one is None else one + (other or 0.0)


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
    make = clients or paced_clients(config.budget)
    client, judge = make(config.judge), config.judge.name
    try:
        return await ask_all(
            todo,
            lambda request: client,
            lambda request, answer: {**_row(request, answer), "run_id": run_id, "judge": judge},
            journal,
            budget,
            concurrency=config.budget.concurrency,
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

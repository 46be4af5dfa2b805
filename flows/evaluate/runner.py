"""Puts the questions of a night to the models, each once, however often the night dies.

Every answer is noted in the run's journal as it comes. A question that the journal or the landed completions
already answer is not asked again; one that failed is.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.progress import Progress

from flows.models import Answer, ModelClient

log = logging.getLogger(__name__)

_ROUNDING_USD = 1e-9  # sums of cents in binary must not cost the last question

Row = dict[str, Any]
Key = tuple[str, str, str, int, str]


@dataclass(frozen=True)
class Question:
    """One thing to ask: an example put to a model for the n-th time. `model` is its configured name."""

    run_id: str
    model: str
    arm: str
    route: str
    example_id: str
    repeat: int
    holdout_version: str
    prompt_version: str | None
    request_hash: str
    messages: Sequence[Mapping[str, Any]]
    params: Mapping[str, Any]

    @property
    def key(self) -> Key:
        """What makes an answer reusable: the same place in the night, and the same request."""
        return self.model, self.route, self.example_id, self.repeat, self.request_hash


@dataclass(frozen=True)
class Outcome:
    """`rows` are completions in the order of the questions; `spent_usd` is of this run's answers with a known price."""

    rows: list[Row]
    asked: int
    reused: int
    spent_usd: float
    budget_ran_out: bool


class Purse:
    """The budget of a night in USD; None is without end. What is in flight is reserved, so that it is kept to."""

    def __init__(self, budget_usd: float | None, spent_usd: float = 0.0) -> None:
        self._budget = budget_usd
        self.spent = spent_usd
        self._reserved = 0.0
        self.is_empty = False

    def reserve(self, estimate: float | None) -> bool:
        """Set `estimate` aside, or say that it is too much. Once too much was asked for, nothing more is given."""
        wanted = estimate or 0.0
        if self._budget is not None and self.spent + self._reserved + wanted > self._budget + _ROUNDING_USD:
            self.is_empty = True
        if not self.is_empty:
            self._reserved += wanted
        return not self.is_empty

    def settle(self, estimate: float | None, cost: float | None) -> None:
        """Put the true cost in place of what was reserved; what has no known cost counts as free."""
        self._reserved -= estimate or 0.0
        self.spent += cost or 0.0


def read_journal(path: Path) -> list[Row]:
    """The answers noted so far; a line that was torn by a kill is left out."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_bytes().splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            log.warning("%s: a torn line is left out", path)
            continue
        rows.append(row)
    return rows


def answered(rows: Iterable[Row]) -> dict[Key, Row]:
    """The rows that need not be asked again, by key."""
    return {
        (row["model"], row["route"], row["example_id"], row["repeat"], row["request_hash"]): row
        for row in rows
        if row["status"] == "ok"
    }


async def ask_all(
    questions: Sequence[Question],
    clients: Mapping[str, ModelClient],
    journal: Path,
    known: Mapping[Key, Row],
    *,
    budget_usd: float | None = None,
    concurrency: int = 16,
) -> Outcome:
    """Ask what is not `known` already, at most `concurrency` at a time, and note each answer in `journal`.

    `clients` are by the model's name. What the same night has paid before counts against the budget. Where it is
    used up, the rest is not asked and has the error_type `budget`.
    """
    rows: dict[int, Row] = {}
    for place, question in enumerate(questions):
        if question.key in known:
            rows[place] = {**known[question.key], **_place_of(question)}
    reused = len(rows)
    nights = {question.run_id for question in questions}
    already_spent = sum(row["cost_usd"] or 0.0 for row in known.values() if row["run_id"] in nights)
    purse = Purse(budget_usd, already_spent)
    if budget_usd is not None:
        _warn_of_unknown_prices(clients)
    todo = [(place, question) for place, question in enumerate(questions) if place not in rows]
    queue = iter(todo)
    with _appending(journal) as file, _progress() as progress:
        bar = progress.add_task("asking", total=len(todo), visible=bool(todo))

        async def work() -> None:
            for place, question in queue:
                rows[place] = await _ask(question, clients[question.model], purse, file)
                progress.advance(bar)

        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(todo))):
                group.create_task(work())
    stopped = sum(row["error_type"] == "budget" for row in rows.values())
    return Outcome(
        rows=[rows[place] for place in range(len(questions))],
        asked=len(todo) - stopped,
        reused=reused,
        spent_usd=purse.spent - already_spent,
        budget_ran_out=purse.is_empty,
    )


def _warn_of_unknown_prices(clients: Mapping[str, ModelClient]) -> None:
    for name, client in clients.items():
        if client.estimate_usd([], {}) is None:
            log.warning("%s: its price is not known, so that the budget cannot stop it; give the model a `price`", name)


async def _ask(question: Question, client: ModelClient, purse: Purse, journal: TextIO) -> Row:
    estimate = client.estimate_usd(question.messages, question.params)
    if not purse.reserve(estimate):
        return _row(question, Answer("error", error_type="budget", error_message="not asked: the budget is used up"))
    answer = await client.ask(question.messages, question.params)
    purse.settle(estimate, answer.cost_usd)
    row = _row(question, answer)
    journal.write(json.dumps(row, ensure_ascii=True) + "\n")
    journal.flush()
    return row


def _place_of(question: Question) -> Row:
    return {key: value for key, value in vars(question).items() if key not in ("messages", "params")}


def _row(question: Question, answer: Answer) -> Row:
    said = asdict(answer)
    said["output_text"] = said.pop("text")
    del said["error_message"]
    if answer.status == "error":
        log.debug("%s %s: %s: %s", question.model, question.example_id, answer.error_type, answer.error_message)
    return {**_place_of(question), **said}


def _appending(journal: Path) -> TextIO:
    """The journal, open for more; a torn last line is ended first."""
    journal.parent.mkdir(parents=True, exist_ok=True)
    torn = journal.exists() and not journal.read_bytes().endswith(b"\n") and journal.stat().st_size > 0
    file = journal.open("a", encoding="utf-8")
    if torn:
        file.write("\n")
    return file


def _progress() -> Progress:
    """A bar on a terminal; nothing in a log."""
    return Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())

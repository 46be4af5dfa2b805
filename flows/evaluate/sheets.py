"""A sheet of questions: what of it is not answered yet is asked, and all its answers are landed in `completions`."""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from flows import models, progress
from flows.batches import PRICE as BATCH_PRICE
from flows.batches import Batches
from flows.config import Config
from flows.evaluate import baseline
from flows.evaluate.batching import BatchRun
from flows.evaluate.journal import in_batches
from flows.evaluate.papers import Paper
from flows.evaluate.questions import Question, Row, questions
from flows.evaluate.register import Register
from flows.evaluate.runner import Purse, ask_all, row_of
from flows.evaluate.stored import Stored
from flows.lake import Lake, from_rows
from flows.limits import Pacer

log = logging.getLogger(__name__)

_KEPT_BACK = models.Answer("error", error_type="budget", error_message="not asked: the budget is used up")


@dataclass(frozen=True)
class Asked:
    """What asking came to: answers paid for now and before, and USD spent now on answers with a known price.

    `canary` are the questions of the canary that were asked beside `asked`; they are part of what was spent.
    """

    asked: int = 0
    reused: int = 0
    spent_usd: float = 0.0
    budget_ran_out: bool = False
    canary: int = 0


@dataclass(frozen=True)
class Sheet:
    """The questions of one run, to the models of some `arms`. They are made anew each time that they are gone through.

    `reusable` are the arms for which answers of other nights count: of any night, or where there is a `since`, of the
    nights from then on and before the day.
    """

    config: Config
    day: date
    run_id: str
    papers: Sequence[Paper]
    arms: Collection[str] = ("pinned", "candidate")
    reusable: Collection[str] = ()
    since: date | None = None
    in_batches: bool = True

    def __iter__(self) -> Iterator[Question]:
        every = questions(self.run_id, self.papers)
        return (question for question in every if question.arm in self.arms)


def ask_sheet(sheet: Sheet, purse: Purse, clients: models.ClientFactory | None = None) -> Asked:
    """Ask what is not answered yet, and land all answers as the file of the run; its journal is then taken away."""
    lake = Lake.of(sheet.config)
    journal, before = lake.journal(sheet.run_id), purse.spent
    register = Register(sheet.run_id, sheet)
    stored = Stored(lake, sheet.day, sheet.run_id, journal)
    stored.note(register)
    if sheet.reusable:
        wanted = (question for question in sheet if question.arm in sheet.reusable)
        stored.note_other_nights(register, wanted, sheet.since)
    count = asyncio.run(_ask(sheet, register, journal, purse, clients))
    _land(lake, sheet, register, stored)
    journal.unlink(missing_ok=True)
    asked = Asked(count, register.reused, purse.spent - before, purse.is_empty)
    log.info("%s: %s", sheet.run_id, asked)
    return asked


class _Clients(dict[str, models.ModelClient]):
    """The clients by the model's name, made when first asked for: litellm takes seconds to import."""

    def __init__(self, sheet: Sheet, make: models.ClientFactory | None) -> None:
        super().__init__()
        budget = sheet.config.budget
        pacer = Pacer(budget.requests_per_minute, budget.tokens_per_minute)
        self._make = baseline.beside(make or (lambda model: models.LiteLLMClient(model, pacer)), sheet.papers)
        self._models = {model.name: model for model in sheet.config.all_models()}
        self.batched = {name for name, model in self._models.items() if model.batch and sheet.in_batches}

    def __missing__(self, name: str) -> models.ModelClient:
        self[name] = self._make(self._models[name])
        return self[name]

    def estimate_usd(self, question: Question) -> float | None:
        """What the answer may cost, in a batch where the model's are asked in batches; None without a known price."""
        estimate = self[question.model].estimate_usd(question.messages, question.params)
        return estimate and estimate * (BATCH_PRICE if question.model in self.batched else 1)


async def _ask(sheet: Sheet, register: Register, journal: Path, purse: Purse, make: models.ClientFactory | None) -> int:
    """How many questions were answered now, or at least asked.

    Batches are begun first and waited for last. What they do not answer is then asked with what the budget did not
    cover while they had their part of it.
    """
    clients = _Clients(sheet, make)
    due = _say_what_it_may_cost(sheet, purse, filter(register.is_open, sheet), clients)
    runs = {
        name: BatchRun(name, Batches(client), partial(_open_of, sheet, register, name), journal, purse)
        for name in due
        if name in clients.batched and isinstance(client := clients[name], models.LiteLLMClient)
    }

    def noted(question: Question, answer: models.Answer) -> Row:
        register.mark(question)
        return row_of(question, answer)

    ask = partial(
        ask_all,
        client_of=lambda question: clients[question.model],
        row_of=noted,
        path=journal,
        purse=purse,
        concurrency=sheet.config.budget.concurrency,
    )
    try:
        asked = await _begin(sheet, register, purse, clients, runs)
        others = (one for one in sheet if one.model not in runs and register.is_open(one))
        asked += await ask(others, total=sum(count for name, count in due.items() if name not in runs))
        for run in runs.values():
            asked += await run.collect(register)
        return asked + (await ask(filter(register.is_open, sheet)) if runs else 0)
    finally:
        await models.close_clients()


async def _begin(
    sheet: Sheet, register: Register, purse: Purse, clients: _Clients, runs: Mapping[str, BatchRun]
) -> int:
    """Begin the batches, after those of a killed run were collected; how many questions these answered.

    A batch takes the questions that the budget covers together with those of all models before them, example by
    example: else it would reserve the whole budget for answers that have no others to be compared with.
    """
    asked = sum([await run.resume(register) for run in runs.values()])
    left = purse.left
    for name, run in runs.items():
        covered = _covered(filter(register.is_open, sheet), clients, Purse(left))
        await run.begin(question for question in covered if question.model == name)
    return asked


def _covered(questions: Iterator[Question], clients: _Clients, purse: Purse) -> Iterator[Question]:
    """The first of the questions, as many as the purse covers, and of the others those that cost nothing."""
    for question in questions:
        estimate = clients.estimate_usd(question) or 0.0
        purse.is_empty = purse.is_empty or not purse.reserve(estimate)
        if not (purse.is_empty and estimate):
            yield question


def _open_of(sheet: Sheet, register: Register, name: str) -> Iterator[Question]:
    return (question for question in sheet if question.model == name and register.is_open(question))


def _say_what_it_may_cost(
    sheet: Sheet, purse: Purse, open_questions: Iterator[Question], clients: _Clients
) -> Counter[str]:
    """How many questions there are, by model. Their number and estimate in USD are said before the first is asked."""
    due, usd, unpriced = Counter[str](), 0.0, set()
    for question in open_questions:
        estimate = clients.estimate_usd(question)
        due[question.model] += 1
        usd += estimate or 0.0
        if estimate is None:
            unpriced.add(question.model)
    if due:
        unknown = f", without {', '.join(sorted(unpriced))}, whose price is not known" if unpriced else ""
        progress.tell(f"{sheet.run_id}: {due.total():,} questions, estimated at {usd:,.2f} USD{unknown}")
    if purse.budget is not None:
        _warn(purse, usd, unpriced)
    return due


def _warn(purse: Purse, usd: float, unpriced: set[str]) -> None:
    if not purse.covers(usd):
        progress.tell(f"the budget has {purse.left:,.2f} USD left: when it is used up, the rest is not asked")
    if unpriced:
        each = "it" if len(unpriced) == 1 else "each"
        progress.tell(f"the budget cannot stop {', '.join(sorted(unpriced))}; give {each} a `price`")


def _land(lake: Lake, sheet: Sheet, register: Register, stored: Stored) -> None:
    """Write every question's row once: its answer, its last failure, or that the budget kept it back."""
    with lake.writing("completions", sheet.day, sheet.run_id) as land:
        for rows in stored.answers():
            land(from_rows(register.take(rows), "completions"))
        if register.is_done:
            return
        for kept_back in in_batches(register.take_unanswered(sheet)):
            land(from_rows((row_of(question, _KEPT_BACK) for question in kept_back), "completions"))

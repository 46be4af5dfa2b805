"""A sheet of questions: what of it is not answered yet is asked, and all its answers are landed in `completions`."""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
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
from flows.evaluate.questions import Question, questions
from flows.evaluate.register import Register
from flows.evaluate.runner import Done, Purse, ask_all, row_of
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
    done = asyncio.run(_ask(sheet, register, journal, purse, clients))
    _land(lake, sheet, register, stored)
    journal.unlink(missing_ok=True)
    asked = Asked(done.asked, register.reused, purse.spent - before, purse.is_empty)
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

    def __missing__(self, name: str) -> models.ModelClient:
        self[name] = self._make(self._models[name])
        return self[name]


async def _ask(
    sheet: Sheet, register: Register, journal: Path, purse: Purse, make: models.ClientFactory | None
) -> Done:
    """Batches are begun first and waited for last; what they do not answer is asked like all the rest."""
    clients = _Clients(sheet, make)
    due = _say_what_it_may_cost(sheet, purse, filter(register.is_open, sheet), clients)
    runs = {
        name: BatchRun(name, Batches(client), partial(_open_of, sheet, register, name), journal, purse)
        for name in due
        if name in _batched(sheet) and isinstance(client := clients[name], models.LiteLLMClient)
    }
    ask = partial(
        ask_all,
        client_of=lambda question: clients[question.model],
        row_of=row_of,
        path=journal,
        purse=purse,
        concurrency=sheet.config.budget.concurrency,
    )
    done = Done()
    try:
        for run in runs.values():
            done.asked += await run.begin(register)
        others = (one for one in sheet if one.model not in runs and register.is_open(one))
        done += await ask(others, total=sum(count for name, count in due.items() if name not in runs))
        for name, run in runs.items():
            done.asked += await run.collect(register)
            done += await ask(_open_of(sheet, register, name))
        return done
    finally:
        await models.close_clients()


def _open_of(sheet: Sheet, register: Register, name: str) -> Iterator[Question]:
    return (question for question in sheet if question.model == name and register.is_open(question))


def _batched(sheet: Sheet) -> list[str]:
    return [model.name for model in sheet.config.all_models() if model.batch and sheet.in_batches]


def _say_what_it_may_cost(
    sheet: Sheet, purse: Purse, open_questions: Iterator[Question], clients: _Clients
) -> Counter[str]:
    """How many questions there are, by model. Their number and estimate in USD are said before the first is asked."""
    due, usd, unpriced, batched = Counter[str](), 0.0, set(), _batched(sheet)
    for question in open_questions:
        estimate = clients[question.model].estimate_usd(question.messages, question.params)
        due[question.model] += 1
        usd += (estimate or 0.0) * (BATCH_PRICE if question.model in batched else 1)
        if estimate is None:
            unpriced.add(question.model)
    if due:
        unknown = f", without {', '.join(sorted(unpriced))}, whose price is not known" if unpriced else ""
        progress.tell(f"{sheet.run_id}: {due.total():,} questions, estimated at {usd:,.2f} USD{unknown}")
    if purse.budget is not None:
        _warn(purse, usd, unpriced)
    return due


def _warn(purse: Purse, usd: float, unpriced: set[str]) -> None:
    left = (purse.budget or 0.0) - purse.spent
    if usd > left:
        progress.tell(f"the budget has {left:,.2f} USD left: when it is used up, the rest is not asked")
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

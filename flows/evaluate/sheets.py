"""A sheet of questions: what of it is not answered yet is asked, and all its answers are landed in `completions`."""

import asyncio
import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows import models, progress
from flows.config import Config
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

    def __iter__(self) -> Iterator[Question]:
        every = questions(self.config, self.run_id, self.papers)
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
    purse.spent += register.spent_usd
    done = asyncio.run(_ask(sheet, register, journal, purse, clients))
    _land(lake, sheet, register, stored)
    journal.unlink(missing_ok=True)
    asked = Asked(done.asked, register.reused, purse.spent - before - register.spent_usd, purse.is_empty)
    log.info("%s: %s", sheet.run_id, asked)
    return asked


class _Clients(dict[str, models.ModelClient]):
    """The clients by the model's name, made when first asked for: litellm takes seconds to import."""

    def __init__(self, config: Config, make: models.ClientFactory | None) -> None:
        super().__init__()
        pacer = Pacer(config.budget.requests_per_minute, config.budget.tokens_per_minute)
        self._make = make or (lambda model: models.LiteLLMClient(model, pacer))
        self._models = {model.name: model for model in config.all_models()}

    def __missing__(self, name: str) -> models.ModelClient:
        self[name] = self._make(self._models[name])
        return self[name]


async def _ask(
    sheet: Sheet, register: Register, journal: Path, purse: Purse, make: models.ClientFactory | None
) -> Done:
    clients = _Clients(sheet.config, make)
    try:
        total = _say_what_it_may_cost(sheet.run_id, purse, filter(register.is_open, sheet), clients)
        return await ask_all(
            filter(register.is_open, sheet),
            clients,
            journal,
            purse,
            concurrency=sheet.config.budget.concurrency,
            total=total,
        )
    finally:
        await models.close_clients()


def _say_what_it_may_cost(run_id: str, purse: Purse, open_questions: Iterator[Question], clients: _Clients) -> int:
    """How many questions there are, and their estimate in USD: said before the first is asked."""
    count, usd, unpriced = 0, 0.0, set()
    for question in open_questions:
        estimate = clients[question.model].estimate_usd(question.messages, question.params)
        count, usd = count + 1, usd + (estimate or 0.0)
        if estimate is None:
            unpriced.add(question.model)
    if count:
        unknown = f", without {', '.join(sorted(unpriced))}, whose price is not known" if unpriced else ""
        progress.tell(f"{run_id}: {count:,} questions, estimated at {usd:,.2f} USD{unknown}")
    if purse.budget is not None:
        _warn(purse, usd, unpriced)
    return count


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

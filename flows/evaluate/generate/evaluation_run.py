"""A sheet of questions: what of it is not answered yet is asked, and all its answers are landed in `completions`."""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from flows import progress
from flows.config import Config
from flows.evaluate.generate import baseline_client
from flows.evaluate.generate.answer_reuse import StoredAnswers
from flows.evaluate.generate.batch_run import BatchRun
from flows.evaluate.generate.journal import in_batches
from flows.evaluate.generate.pending import PendingRequests
from flows.evaluate.generate.request_runner import RunBudget, ask_all, row_of
from flows.evaluate.generate.requests import Request, Row, requests_of_run
from flows.evaluate.setup import EvalTask
from flows.lake import Lake, from_rows
from flows.llm import PRICE as BATCH_PRICE
from flows.llm import Answer, Batches, ClientFactory, LiteLLMClient, ModelClient, Pacer, close_clients

log = logging.getLogger(__name__)

_KEPT_BACK = Answer("error", error_type="budget", error_message="not asked: the budget is used up")


@dataclass(frozen=True)
class GenerationResult:
    """What asking came to: answers paid for now and before, and USD spent now on answers with a known price.

    `canary` are the questions of the canary that were asked beside `asked`; they are part of what was spent.
    """

    asked: int = 0
    reused: int = 0
    spent_usd: float = 0.0
    budget_ran_out: bool = False
    canary: int = 0


@dataclass(frozen=True)
class EvalRun:
    """The questions of one run, to the models of some `arms`. They are made anew each time that they are gone through.

    `reusable` are the arms for which answers of other nights count: of any night, or where there is a `since`, of the
    nights from then on and before the day.
    """

    config: Config
    day: date
    run_id: str
    papers: Sequence[EvalTask]
    arms: Collection[str] = ("pinned", "candidate")
    reusable: Collection[str] = ()
    since: date | None = None
    in_batches: bool = True

    def __iter__(self) -> Iterator[Request]:
        every = requests_of_run(self.run_id, self.papers)
        return (question for question in every if question.arm in self.arms)


def generate_answers(sheet: EvalRun, purse: RunBudget, clients: ClientFactory | None = None) -> GenerationResult:
    """Ask what is not answered yet, and land all answers as the file of the run; its journal is then taken away."""
    lake = sheet.config.open_lake()
    journal, before = lake.journal(sheet.run_id), purse.spent
    register = PendingRequests(sheet.run_id, sheet)
    stored = StoredAnswers(lake, sheet.day, sheet.run_id, journal)
    stored.note(register)
    if sheet.reusable:
        wanted = (question for question in sheet if question.arm in sheet.reusable)
        stored.note_other_nights(register, wanted, sheet.since)
    count = asyncio.run(_ask(sheet, register, journal, purse, clients))
    _land(lake, sheet, register, stored)
    journal.unlink(missing_ok=True)
    asked = GenerationResult(count, register.reused, purse.spent - before, purse.is_empty)
    log.info("%s: %s", sheet.run_id, asked)
    return asked


class _Clients(dict[str, ModelClient]):
    """The clients by the model's name, made when first asked for: litellm takes seconds to import."""

    def __init__(self, sheet: EvalRun, make: ClientFactory | None) -> None:
        super().__init__()
        budget = sheet.config.budget
        pacer = Pacer(budget.requests_per_minute, budget.tokens_per_minute)
        self._make = baseline_client.beside(make or (lambda model: LiteLLMClient(model, pacer)), sheet.papers)
        self._models = {model.name: model for model in sheet.config.all_models()}
        self.batched = {name for name, model in self._models.items() if model.batch and sheet.in_batches}

    def __missing__(self, name: str) -> ModelClient:
        self[name] = self._make(self._models[name])
        return self[name]

    def estimate_usd(self, question: Request) -> float | None:
        """What the answer may cost, in a batch where the model's are asked in batches; None without a known price."""
        estimate = self[question.model].estimate_usd(question.messages, question.params)
        return estimate and estimate * (BATCH_PRICE if question.model in self.batched else 1)


async def _ask(
    sheet: EvalRun, register: PendingRequests, journal: Path, purse: RunBudget, make: ClientFactory | None
) -> int:
    """How many questions were answered now, or at least asked.

    Batches are begun first and waited for last. What they do not answer is then asked with what the budget did not
    cover while they had their part of it.
    """
    clients = _Clients(sheet, make)
    due = _say_what_it_may_cost(sheet, purse, filter(register.is_open, sheet), clients)
    runs = {
        name: BatchRun(name, Batches(client), partial(_open_of, sheet, register, name), journal, purse)
        for name in due
        if name in clients.batched and isinstance(client := clients[name], LiteLLMClient)
    }

    def noted(question: Request, answer: Answer) -> Row:
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
        await close_clients()


async def _begin(
    sheet: EvalRun, register: PendingRequests, purse: RunBudget, clients: _Clients, runs: Mapping[str, BatchRun]
) -> int:
    """Begin the batches, after those of a killed run were collected; how many questions these answered.

    A batch takes the questions that the budget covers together with those of all models before them, example by
    example: else it would reserve the whole budget for answers that have no others to be compared with.
    """
    asked = sum([await run.resume(register) for run in runs.values()])
    left = purse.left
    for name, run in runs.items():
        covered = _covered(filter(register.is_open, sheet), clients, RunBudget(left))
        await run.begin(question for question in covered if question.model == name)
    return asked


def _covered(questions: Iterator[Request], clients: _Clients, purse: RunBudget) -> Iterator[Request]:
    """The first of the questions, as many as the purse covers, and of the others those that cost nothing."""
    for question in questions:
        estimate = clients.estimate_usd(question) or 0.0
        purse.is_empty = purse.is_empty or not purse.reserve(estimate)
        if not (purse.is_empty and estimate):
            yield question


def _open_of(sheet: EvalRun, register: PendingRequests, name: str) -> Iterator[Request]:
    return (question for question in sheet if question.model == name and register.is_open(question))


def _say_what_it_may_cost(
    sheet: EvalRun, purse: RunBudget, open_questions: Iterator[Request], clients: _Clients
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


def _warn(purse: RunBudget, usd: float, unpriced: set[str]) -> None:
    if not purse.covers(usd):
        progress.tell(f"the budget has {purse.left:,.2f} USD left: when it is used up, the rest is not asked")
    if unpriced:
        each = "it" if len(unpriced) == 1 else "each"
        progress.tell(f"the budget cannot stop {', '.join(sorted(unpriced))}; give {each} a `price`")


def _land(lake: Lake, sheet: EvalRun, register: PendingRequests, stored: StoredAnswers) -> None:
    """Write every question's row once: its answer, its last failure, or that the budget kept it back."""
    with lake.writing("completions", sheet.day, sheet.run_id) as land:
        for rows in stored.answers():
            land(from_rows(register.take(rows), "completions"))
        if register.is_done:
            return
        for kept_back in in_batches(register.take_unanswered(sheet)):
            land(from_rows((row_of(question, _KEPT_BACK) for question in kept_back), "completions"))

"""An evaluation run: send the requests that have no answer yet, and write all answers to `completions`."""

import asyncio
import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from pathlib import Path

from flows import progress
from flows.config import Config, why_not_sent
from flows.evaluate.generate import baseline_client
from flows.evaluate.generate.answer_reuse import StoredAnswers, unscored_before
from flows.evaluate.generate.batch_run import BatchRun
from flows.evaluate.generate.journal import in_chunks
from flows.evaluate.generate.pending import PendingRequests
from flows.evaluate.generate.request_runner import RunBudget, ask_all, row_of
from flows.evaluate.generate.requests import Request, Row, requests_of_run
from flows.evaluate.setup import EvalTask
from flows.lake import Lake, from_rows
from flows.llm import NOT_SENT, Answer, Batches, ClientFactory, LiteLLMClient, ModelClient, close_clients, paced_clients
from flows.llm import PRICE as BATCH_PRICE

log = logging.getLogger(__name__)

_NOT_SENT = Answer("error", error_type="budget", error_message="not sent: the budget is used up", error_class=NOT_SENT)


@dataclass(frozen=True)
class GenerationResult:
    """The result of a run: requests sent now (`asked`), answers `reused`, and USD spent now at known prices.

    `canary` is the number of canary requests, not counted in `asked`; their cost is part of `spent_usd`.
    """

    asked: int = 0
    reused: int = 0
    spent_usd: float = 0.0
    budget_ran_out: bool = False
    canary: int = 0


@dataclass(frozen=True)
class EvalRun:
    """The requests of one run to the models of `arms`. Each iteration builds the requests again, to save memory.

    `reusable` are the arms for which answers of other runs may be reused: of any run, or with `since` of the nights
    from `since` (included) to the day (excluded). `first` are the examples by route that are sent before all others.
    """

    config: Config
    day: date
    run_id: str
    tasks: Sequence[EvalTask]
    arms: Collection[str] = ("pinned", "candidate")
    reusable: Collection[str] = ()
    since: date | None = None
    use_batch_api: bool = True
    first: Mapping[str, Collection[str]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Request]:
        every = requests_of_run(self.run_id, self.tasks, self.first)
        return (request for request in every if request.arm in self.arms)

    @cached_property
    def left_out(self) -> dict[str, str]:
        """Why no request is sent to a model, by the names of those whose environment variables are not all set."""
        found = {model.name: why_not_sent(model) for model in self.config.all_models() if model.arm in self.arms}
        return {name: why for name, why in found.items() if why}

    def to_send(self, pending: PendingRequests) -> Iterator[Request]:
        """The requests that have no answer yet and can be sent."""
        return (request for request in self if request.model not in self.left_out and pending.is_open(request))


def generate_answers(run: EvalRun, budget: RunBudget, clients: ClientFactory | None = None) -> GenerationResult:
    """Send the requests that have no answer yet, write all answers as the run's file, and delete its journal.

    What was unscored before is sent first, so that it does not stay so when the budget is used up.
    """
    lake = run.config.open_lake()
    run = replace(run, first=unscored_before(lake, run.day, run.run_id))
    journal, before = lake.journal(run.run_id), budget.spent
    pending = PendingRequests(run.run_id, run)
    stored = StoredAnswers(lake, run.day, run.run_id, journal)
    stored.find_own(pending)
    if run.reusable:
        wanted = (request for request in run if request.arm in run.reusable)
        stored.find_reusable(pending, wanted, run.since)
    for name, why in run.left_out.items():
        progress.tell(f"{name} is left out: {why}")
    count = asyncio.run(_ask(run, pending, journal, budget, clients))
    _land(lake, run, pending, stored)
    journal.unlink(missing_ok=True)
    asked = GenerationResult(count, pending.reused, budget.spent - before, budget.is_exhausted)
    log.info("%s: %s", run.run_id, asked)
    return asked


@dataclass(frozen=True)
class Forecast:
    """Requests that a run would send, and their estimated cost in USD, without the models whose price is unknown."""

    requests: int
    usd: float
    unpriced: tuple[str, ...]


def forecast(run: EvalRun, clients: ClientFactory | None = None) -> Forecast:
    """What `generate_answers` would send, as the stored answers are. Sends and writes nothing."""
    lake = run.config.open_lake()
    pending = PendingRequests(run.run_id, run)
    stored = StoredAnswers(lake, run.day, run.run_id, lake.journal(run.run_id))
    stored.find_own(pending)
    if run.reusable:
        stored.find_reusable(pending, (request for request in run if request.arm in run.reusable), run.since)
    counts, usd, unpriced = _estimate(run.to_send(pending), _Clients(run, clients))
    return Forecast(counts.total(), usd, tuple(sorted(unpriced)))


class _Clients(dict[str, ModelClient]):
    """Clients by model name, created at first use because litellm takes seconds to import."""

    def __init__(self, run: EvalRun, make: ClientFactory | None) -> None:
        super().__init__()
        self._make = baseline_client.with_baselines(make or paced_clients(run.config.budget), run.tasks)
        self._models = {model.name: model for model in run.config.all_models()}
        self.batched = {name for name, model in self._models.items() if model.batch and run.use_batch_api}

    def __missing__(self, name: str) -> ModelClient:
        self[name] = self._make(self._models[name])
        return self[name]

    def estimate_usd(self, request: Request) -> float | None:
        """Estimated cost in USD, at batch price if the model uses the batch API; None without a known price."""
        estimate = self[request.model].estimate_usd(request.messages, request.params)
        return estimate and estimate * (BATCH_PRICE if request.model in self.batched else 1)


async def _ask(
    run: EvalRun, pending: PendingRequests, journal: Path, budget: RunBudget, make: ClientFactory | None
) -> int:
    """Send all unanswered requests; returns the number sent.

    Batches are submitted first and collected last. Requests that they did not answer, or that the budget did not cover
    while batches held a reservation, are then sent one by one.
    """
    clients = _Clients(run, make)
    counts = _report_estimate(run, budget, run.to_send(pending), clients)
    batch_runs = {
        name: BatchRun(name, Batches(client), partial(_unanswered_of, run, pending, name), journal, budget)
        for name in counts
        if name in clients.batched and isinstance(client := clients[name], LiteLLMClient)
    }

    def row_of_answer(request: Request, answer: Answer) -> Row:
        pending.mark_answered(request)
        return row_of(request, answer)

    ask = partial(
        ask_all,
        client_of=lambda request: clients[request.model],
        row_of=row_of_answer,
        path=journal,
        budget=budget,
        concurrency=run.config.budget.concurrency,
    )
    try:
        asked = await _start_batches(run, pending, budget, clients, batch_runs)
        others = (one for one in run.to_send(pending) if one.model not in batch_runs)
        asked += await ask(others, total=sum(count for name, count in counts.items() if name not in batch_runs))
        for batch_run in batch_runs.values():
            asked += await batch_run.collect(pending)
        return asked + (await ask(run.to_send(pending)) if batch_runs else 0)
    finally:
        await close_clients()


async def _start_batches(
    run: EvalRun, pending: PendingRequests, budget: RunBudget, clients: _Clients, batch_runs: Mapping[str, BatchRun]
) -> int:
    """Collect the batches of a killed run, then submit new ones; returns the number of answers collected.

    Requests are covered example by example across all models. Otherwise one model's batch would reserve the whole
    budget for answers that have no counterpart to compare with.
    """
    asked = sum([await batch_run.resume(pending) for batch_run in batch_runs.values()])
    left = budget.left
    for name, batch_run in batch_runs.items():
        covered = _affordable(run.to_send(pending), clients, RunBudget(left))
        await batch_run.start(request for request in covered if request.model == name)
    return asked


def _affordable(requests: Iterator[Request], clients: _Clients, budget: RunBudget) -> Iterator[Request]:
    """The first requests that the budget covers, and all later ones that are free."""
    for request in requests:
        estimate = clients.estimate_usd(request) or 0.0
        budget.is_exhausted = budget.is_exhausted or not budget.reserve(estimate)
        if not (budget.is_exhausted and estimate):
            yield request


def _unanswered_of(run: EvalRun, pending: PendingRequests, name: str) -> Iterator[Request]:
    return (request for request in run if request.model == name and pending.is_open(request))


def _report_estimate(run: EvalRun, budget: RunBudget, unanswered: Iterator[Request], clients: _Clients) -> Counter[str]:
    """The number of requests by model. Reports the total and the estimated cost in USD before the first is sent."""
    counts, usd, unpriced = _estimate(unanswered, clients)
    if counts:
        unknown = f", without {', '.join(sorted(unpriced))}, whose price is unknown" if unpriced else ""
        progress.tell(f"{run.run_id}: {counts.total():,} requests to send, estimated cost {usd:,.2f} USD{unknown}")
    if budget.limit_usd is not None:
        _warn_about_budget(budget, usd, unpriced)
    return counts


def _estimate(requests: Iterator[Request], clients: _Clients) -> tuple[Counter[str], float, set[str]]:
    """The number of requests by model, their cost in USD, and the models whose price is unknown."""
    counts, usd, unpriced = Counter[str](), 0.0, set[str]()
    for request in requests:
        estimate = clients.estimate_usd(request)
        counts[request.model] += 1
        usd += estimate or 0.0
        if estimate is None:
            unpriced.add(request.model)
    return counts, usd, unpriced


def _warn_about_budget(budget: RunBudget, usd: float, unpriced: set[str]) -> None:
    if not budget.covers(usd):
        progress.tell(
            f"the budget has {budget.left:,.2f} USD left: when it is used up, the remaining requests are not sent"
        )
    if unpriced:
        each = "it" if len(unpriced) == 1 else "each"
        progress.tell(f"the budget does not limit {', '.join(sorted(unpriced))}: set a `price` for {each}")


def _land(lake: Lake, run: EvalRun, pending: PendingRequests, stored: StoredAnswers) -> None:
    """Write one row for each request: its answer, its last failure, or an error that says why it was not sent."""
    with lake.writing("completions", run.day, run.run_id) as land:
        for rows in stored.answers():
            land(from_rows(pending.take(rows), "completions"))
        if pending.is_done:
            return
        for not_asked in in_chunks(pending.take_unanswered(run)):
            land(from_rows((row_of(request, _not_sent(run, request)) for request in not_asked), "completions"))


def _not_sent(run: EvalRun, request: Request) -> Answer:
    why = run.left_out.get(request.model)
    return replace(_NOT_SENT, error_type="unset_variable", error_message=why) if why else _NOT_SENT

"""Sends requests to models and judges concurrently, within a budget; each answer goes to a journal as it arrives.

Requests and answers are streamed: memory does not grow with their number.
"""

import asyncio
import gc
import logging
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rich.console import Console
from rich.progress import Progress

from flows.evaluate.generate import journal
from flows.evaluate.generate.requests import Request, Row
from flows.llm import Answer, ModelClient

log = logging.getLogger(__name__)

_ROUNDING_USD = 1e-9  # rounding of binary sums must not block the last request
_RAMP_S = 1.0
_GARBAGE_AT_ONCE = 20_000  # objects; a request creates a few hundred
_NOT_IN_ROWS = ("text",)


class RunBudget:
    """The budget of a run in USD; None is unlimited. Estimated costs of requests in flight are reserved.

    `is_exhausted` means that a request was not covered. From then on nothing that has a cost is sent.
    """

    def __init__(self, budget_usd: float | None, spent_usd: float = 0.0) -> None:
        self.limit_usd = budget_usd
        self.spent = spent_usd
        self._reserved = 0.0
        self.is_exhausted = False

    @property
    def left(self) -> float:
        """USD neither spent nor reserved."""
        return math.inf if self.limit_usd is None else self.limit_usd - self.spent - self._reserved

    def covers(self, estimate: float) -> bool:
        """Whether `estimate` USD are left."""
        return estimate <= self.left + _ROUNDING_USD

    def reserve(self, estimate: float) -> bool:
        """Reserve `estimate` USD; False if less is left."""
        if covered := self.covers(estimate):
            self._reserved += estimate
        return covered

    def record_cost(self, estimate: float, cost: float | None) -> None:
        """Replace a reservation of `estimate` by the actual `cost`. An unknown cost counts as 0."""
        self._reserved -= estimate
        self.spent += cost or 0.0


class ModelRequest(Protocol):
    """Whatever can be sent to a model."""

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The conversation so far."""

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters of the request."""


RequestT = TypeVar("RequestT", bound=ModelRequest)


class _Queue:
    """Passes the requests of one `ask_all` to their models in order, as far as the budget covers them.

    A request that is not covered waits for those in flight, because most cost less than was reserved. It does not wait
    for reservations of others, such as batches, which may be collected only after these requests.
    """

    def __init__(self, budget: RunBudget) -> None:
        self._budget = budget
        self._turn, self._answered, self._in_flight = asyncio.Lock(), asyncio.Event(), 0

    async def ask(self, request: ModelRequest, client: ModelClient) -> Answer | None:
        """The answer; None if the budget does not cover it. Requests that are free or have no price are always sent.

        An answer whose tokens the provider did not report takes its estimate from the budget.
        """
        estimate = client.estimate_usd(request.messages, request.params) or 0.0
        if estimate and not await self._reserve(estimate):
            return None
        answer = await client.ask(request.messages, request.params)
        is_unreported = answer.status == "ok" and answer.cost_usd is None
        self._budget.record_cost(estimate, estimate if is_unreported else answer.cost_usd)
        if estimate:
            self._in_flight -= 1
            self._answered.set()
        return answer

    async def _reserve(self, estimate: float) -> bool:
        async with self._turn:
            while not self._budget.is_exhausted:
                if self._budget.reserve(estimate):
                    self._in_flight += 1
                    return True
                if self._in_flight:
                    self._answered.clear()
                    await self._answered.wait()
                else:
                    self._budget.is_exhausted = True
            return False


async def ask_all(
    requests: Iterable[RequestT],
    client_of: Callable[[RequestT], ModelClient],
    row_of: Callable[[RequestT, Answer], Row],
    path: Path,
    budget: RunBudget,
    *,
    concurrency: int = 16,
    total: int | None = None,
) -> int:
    """Send `requests`, at most `concurrency` at a time; append `row_of(request, answer)` of each to the journal.

    `total` is their number, for the progress bar. Returns the number sent: once the budget is exhausted, only requests
    without a cost are sent.
    """
    source, queue, asked = iter(requests), _Queue(budget), 0
    with journal.open_for_append(path) as file, _progress() as progress, _garbage_is_rare():
        bar = progress.add_task("sending requests", total=total, visible=bool(total))

        async def work() -> None:
            nonlocal asked
            for request in source:
                answer = await queue.ask(request, client_of(request))
                if answer is not None:
                    journal.append_answer(file, row_of(request, answer))
                    asked += 1
                progress.advance(bar)

        workers = concurrency if total is None else min(concurrency, total)
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                task = group.create_task(work())
                # Workers start spread over a second. Workers that start together are answered together, in waves, and
                # nothing is in flight while a wave is processed.
                await asyncio.wait([task], timeout=_RAMP_S / workers)
                if task.done():
                    break
    return asked


@contextmanager
def _garbage_is_rare() -> Iterator[None]:
    """Run the garbage collector less often, and not on loaded modules: by default it takes a tenth of the time."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_GARBAGE_AT_ONCE, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def row_of(request: Request, answer: Answer) -> Row:
    """The row of `completions` for a request and its answer."""
    answer_columns = {key: value for key, value in vars(answer).items() if key not in _NOT_IN_ROWS}
    if answer.status == "error":
        log.debug("%s %s: %s: %s", request.model, request.example_id, answer.error_type, answer.error_message)
    return {**request.columns, **answer_columns, "output_text": answer.text}


def _progress() -> Progress:
    """A bar on a terminal; nothing in a log."""
    return Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())

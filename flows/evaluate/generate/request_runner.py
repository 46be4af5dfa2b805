"""Puts questions to models and judges, some at a time, within a budget; each answer is noted in a journal as it comes.

Questions come one by one and answers go one by one: nothing here grows with their number.
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

_ROUNDING_USD = 1e-9  # sums of cents in binary must not cost the last question
_RAMP_S = 1.0
_GARBAGE_AT_ONCE = 20_000  # objects, of which a request makes some hundreds
_NOT_IN_ROWS = ("text", "error_message")


class RunBudget:
    """The budget of a night in USD; None is without end. What is under way is reserved, so that it is kept to.

    Where it `is_empty` something had to be left unasked, and so is all that costs anything from then on.
    """

    def __init__(self, budget_usd: float | None, spent_usd: float = 0.0) -> None:
        self.limit_usd = budget_usd
        self.spent = spent_usd
        self._reserved = 0.0
        self.is_exhausted = False

    @property
    def left(self) -> float:
        """What is neither spent nor reserved."""
        return math.inf if self.limit_usd is None else self.limit_usd - self.spent - self._reserved

    def covers(self, estimate: float) -> bool:
        """Whether that much is left."""
        return estimate <= self.left + _ROUNDING_USD

    def reserve(self, estimate: float) -> bool:
        """Set `estimate` aside, or say that it is more than is left."""
        if covered := self.covers(estimate):
            self._reserved += estimate
        return covered

    def record_cost(self, estimate: float, cost: float | None) -> None:
        """Put the true cost in place of what was reserved; what has no known cost counts as free."""
        self._reserved -= estimate
        self.spent += cost or 0.0


class ModelRequest(Protocol):
    """Whatever can be put to a model."""

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The conversation so far."""

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters of the request."""


RequestT = TypeVar("RequestT", bound=ModelRequest)


class _Queue:
    """Lets the questions of one `ask_all` through to their models in their order, as far as the purse goes.

    A question that it does not cover waits for those in flight: most cost less than was reserved. It does not wait for
    what others have reserved, as batches, which may be collected only when all this was asked.
    """

    def __init__(self, budget: RunBudget) -> None:
        self._budget = budget
        self._turn, self._answered, self._in_flight = asyncio.Lock(), asyncio.Event(), 0

    async def ask(self, request: ModelRequest, client: ModelClient) -> Answer | None:
        """The answer; None where the purse did not let it be asked. What is free, or has no price, is always asked."""
        estimate = client.estimate_usd(request.messages, request.params) or 0.0
        if estimate and not await self._reserve(estimate):
            return None
        answer = await client.ask(request.messages, request.params)
        self._budget.record_cost(estimate, answer.cost_usd)
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
    """Ask `questions` (so many in `total`), at most `concurrency` at a time, and note the row of each in the journal.

    How many were asked. Once the purse is empty only what costs nothing is; the rest is not noted.
    """
    source, queue, asked = iter(requests), _Queue(budget), 0
    with journal.appending(path) as file, _progress() as progress, _garbage_is_rare():
        bar = progress.add_task("asking", total=total, visible=bool(total))

        async def work() -> None:
            nonlocal asked
            for request in source:
                answer = await queue.ask(request, client_of(request))
                if answer is not None:
                    journal.note(file, row_of(request, answer))
                    asked += 1
                progress.advance(bar)

        workers = concurrency if total is None else min(concurrency, total)
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                task = group.create_task(work())
                # One after the other, over a second: those who begin together are answered together, wave after wave,
                # and while one wave is worked off nothing is in flight.
                await asyncio.wait([task], timeout=_RAMP_S / workers)
                if task.done():
                    break
    return asked


@contextmanager
def _garbage_is_rare() -> Iterator[None]:
    """Look for garbage less often, and not in what is loaded: by default that is a tenth of the time of asking."""
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_GARBAGE_AT_ONCE, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()


def row_of(request: Request, answer: Answer) -> Row:
    """The row of `completions` for an answer."""
    answer_columns = {key: value for key, value in vars(answer).items() if key not in _NOT_IN_ROWS}
    if answer.status == "error":
        log.debug("%s %s: %s: %s", request.model, request.example_id, answer.error_type, answer.error_message)
    return {**request.columns, **answer_columns, "output_text": answer.text}


def _progress() -> Progress:
    """A bar on a terminal; nothing in a log."""
    return Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())

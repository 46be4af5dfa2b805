"""Puts questions to models and judges, some at a time, within a budget; each answer is noted in a journal as it comes.

Questions come one by one and answers go one by one: nothing here grows with their number.
"""

import asyncio
import gc
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rich.console import Console
from rich.progress import Progress

from flows.evaluate import journal
from flows.evaluate.questions import Question, Row
from flows.models import Answer, ModelClient

log = logging.getLogger(__name__)

_ROUNDING_USD = 1e-9  # sums of cents in binary must not cost the last question
_RAMP_S = 1.0
_GARBAGE_AT_ONCE = 20_000  # objects, of which a request makes some hundreds
_NOT_IN_ROWS = ("text", "error_message")


@dataclass
class Done:
    """What came of asking: how many questions were put to a model, and how many the budget kept back."""

    asked: int = 0
    kept_back: int = 0

    def __add__(self, other: "Done") -> "Done":
        return Done(self.asked + other.asked, self.kept_back + other.kept_back)


class Purse:
    """The budget of a night in USD; None is without end. What is in flight is reserved, so that it is kept to."""

    def __init__(self, budget_usd: float | None, spent_usd: float = 0.0) -> None:
        self.budget = budget_usd
        self.spent = spent_usd
        self._reserved = 0.0
        self.is_empty = False

    def reserve(self, estimate: float | None) -> bool:
        """Set `estimate` aside, or say that it is too much. Once too much was asked for, nothing more is given."""
        wanted = estimate or 0.0
        if self.budget is not None and self.spent + self._reserved + wanted > self.budget + _ROUNDING_USD:
            self.is_empty = True
        if not self.is_empty:
            self._reserved += wanted
        return not self.is_empty

    def settle(self, estimate: float | None, cost: float | None) -> None:
        """Put the true cost in place of what was reserved; what has no known cost counts as free."""
        self._reserved -= estimate or 0.0
        self.spent += cost or 0.0


class Askable(Protocol):
    """Whatever can be put to a model."""

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The conversation so far."""

    @property
    def params(self) -> Mapping[str, Any]:
        """The parameters of the request."""


Asking = TypeVar("Asking", bound=Askable)


async def ask_all(
    questions: Iterable[Asking],
    client_of: Callable[[Asking], ModelClient],
    row_of: Callable[[Asking, Answer], Row],
    path: Path,
    purse: Purse,
    *,
    concurrency: int = 16,
    total: int | None = None,
) -> Done:
    """Ask `questions` (so many in `total`), at most `concurrency` at a time, and note the row of each in the journal.

    Once the purse is empty the rest is not asked, and not noted.
    """
    queue, done = iter(questions), Done()
    with journal.appending(path) as file, _progress() as progress, _garbage_is_rare():
        bar = progress.add_task("asking", total=total, visible=bool(total))

        async def work() -> None:
            for question in queue:
                answer = await _ask(question, client_of(question), purse)
                if answer is not None:
                    journal.note(file, row_of(question, answer))
                    done.asked += 1
                else:
                    done.kept_back += 1
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
    return done


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


async def _ask(question: Askable, client: ModelClient, purse: Purse) -> Answer | None:
    """The answer; None where the purse did not let it be asked."""
    estimate = client.estimate_usd(question.messages, question.params)
    if not purse.reserve(estimate):
        return None
    answer = await client.ask(question.messages, question.params)
    purse.settle(estimate, answer.cost_usd)
    return answer


def row_of(question: Question, answer: Answer) -> Row:
    """The row of `completions` for an answer."""
    said = {key: value for key, value in vars(answer).items() if key not in _NOT_IN_ROWS}
    if answer.status == "error":
        log.debug("%s %s: %s: %s", question.model, question.example_id, answer.error_type, answer.error_message)
    return {**question.place, **said, "output_text": answer.text}


def _progress() -> Progress:
    """A bar on a terminal; nothing in a log."""
    return Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())

"""The questions of one model put to it in batches, whose ids are noted in the journal: a kill does not pay twice."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from flows.errors import RunError
from flows.evaluate.generate import journal
from flows.evaluate.generate.pending import PendingRequests
from flows.evaluate.generate.request_runner import RunBudget, row_of
from flows.evaluate.generate.requests import Request, digest
from flows.llm import Batches, Line

log = logging.getLogger(__name__)

_LINES = 10_000  # of the 50,000 that OpenAI takes, so that a file stays in memory


@dataclass(frozen=True)
class Ticket:
    """A batch that is under way, and what was reserved for it in USD."""

    batch_id: str
    estimate_usd: float = 0.0


class BatchRun:
    """`questions` gives the model's questions that have no answer yet, anew each time."""

    def __init__(
        self,
        name: str,
        batches: Batches,
        questions: Callable[[], Iterable[Request]],
        path: Path,
        purse: RunBudget,
    ) -> None:
        self._name, self._batches, self._questions, self._path, self._purse = name, batches, questions, path, purse
        self._tickets: list[Ticket] = []

    async def resume(self, register: PendingRequests) -> int:
        """Collect what a killed run had begun; how many questions that answers now.

        Nothing is reserved for it: nothing else is asked meanwhile.
        """
        self._tickets = [Ticket(row["batch_id"]) for row in journal.read_tickets(self._path, self._name)]
        return await self.collect(register)

    async def begin(self, questions: Iterable[Request]) -> None:
        """Begin batches of those questions that the purse covers; the others are left, to be asked one by one.

        So are those of a batch that the provider refuses.
        """
        for some in journal.in_batches(questions, _LINES):
            try:
                await self._begin_one(some)
            except RunError as error:
                log.warning("%s: no batch could be begun, its questions are asked one by one: %s", self._name, error)
                break

    async def _begin_one(self, questions: Iterable[Request]) -> None:
        lines, estimate = [], 0.0
        for question in questions:
            one = self._batches.estimate_usd(question.messages, question.params) or 0.0
            if self._purse.reserve(one):
                lines.append(Line(digest(question.key).hex(), question.messages, question.params))
                estimate += one
        if not lines:
            return
        try:
            batch_id = await self._batches.submit(lines)
        except RunError:
            self._purse.settle(estimate, None)
            raise
        self._tickets.append(Ticket(batch_id, estimate))
        with journal.appending(self._path) as file:
            journal.note(file, {"batch_id": batch_id, "model": self._name})

    async def collect(self, register: PendingRequests) -> int:
        """Wait for all batches, and note their answers in journal and register; how many there were.

        An answer that was noted before, by a run that was killed later, is neither noted nor paid for again.
        """
        answered = 0
        while self._tickets:
            ticket = self._tickets.pop(0)
            try:
                answers = await self._batches.answers(ticket.batch_id)
            except RunError as error:
                log.warning("%s: batch %s is lost: %s", self._name, ticket.batch_id, error)
                answers = {}
            cost = 0.0
            with journal.appending(self._path) as file:
                for question in self._questions():
                    answer = answers.get(digest(question.key).hex())
                    if answer is not None:
                        journal.note(file, row_of(question, answer))
                        register.mark(question)
                        answered += 1
                        cost += answer.cost_usd or 0.0
            self._purse.settle(ticket.estimate_usd, cost)
            self._purse.is_empty = False  # what was reserved and not spent is there for others
        return answered

"""The requests of one model through the batch API. Batch ids go to the journal, so that a killed run pays once."""

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
class SubmittedBatch:
    """A batch in progress, and the USD that were reserved for it."""

    batch_id: str
    estimate_usd: float = 0.0


class BatchRun:
    """Batches of one model. `requests` returns, at each call, the model's requests that have no answer yet."""

    def __init__(
        self,
        name: str,
        batches: Batches,
        requests: Callable[[], Iterable[Request]],
        path: Path,
        budget: RunBudget,
    ) -> None:
        self._name, self._batches, self._requests, self._path, self._budget = name, batches, requests, path, budget
        self._submitted: list[SubmittedBatch] = []

    async def resume(self, pending: PendingRequests) -> int:
        """Collect the batches that a killed run had submitted; returns the number of answers.

        No budget is reserved for them, because nothing else is sent meanwhile.
        """
        self._submitted = [SubmittedBatch(row["batch_id"]) for row in journal.read_batch_ids(self._path, self._name)]
        return await self.collect(pending)

    async def start(self, requests: Iterable[Request]) -> None:
        """Submit batches of the requests that the budget covers. The others are left to be sent one by one.

        So are those of a batch that the provider refuses.
        """
        for chunk in journal.in_chunks(requests, _LINES):
            try:
                await self._submit(chunk)
            except RunError as error:
                log.warning("%s: the batch was refused, its requests are sent one by one: %s", self._name, error)
                break

    async def _submit(self, requests: Iterable[Request]) -> None:
        lines, estimate = [], 0.0
        for request in requests:
            one = self._batches.estimate_usd(request.messages, request.params) or 0.0
            if self._budget.reserve(one):
                lines.append(Line(digest(request.key).hex(), request.messages, request.params))
                estimate += one
        if not lines:
            return
        try:
            batch_id = await self._batches.submit(lines)
        except RunError:
            self._budget.record_cost(estimate, None)
            raise
        self._submitted.append(SubmittedBatch(batch_id, estimate))
        with journal.open_for_append(self._path) as file:
            journal.append_answer(file, {"batch_id": batch_id, "model": self._name})

    async def collect(self, pending: PendingRequests) -> int:
        """Wait for all batches, and add their answers to the journal and to `pending`; returns their number.

        An answer that is in the journal already, from a killed run, is neither added nor paid for again.
        """
        answered = 0
        while self._submitted:
            submitted = self._submitted.pop(0)
            try:
                answers = await self._batches.answers(submitted.batch_id)
            except RunError as error:
                log.warning("%s: batch %s is lost: %s", self._name, submitted.batch_id, error)
                answers = {}
            cost = 0.0
            with journal.open_for_append(self._path) as file:
                for request in self._requests():
                    answer = answers.get(digest(request.key).hex())
                    if answer is not None:
                        journal.append_answer(file, row_of(request, answer))
                        pending.mark_answered(request)
                        answered += 1
                        cost += answer.cost_usd or 0.0
            self._budget.record_cost(submitted.estimate_usd, cost)
            self._budget.is_exhausted = False  # what was reserved and not spent is free again
        return answered

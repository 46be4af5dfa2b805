"""Answers that were stored before: by this very run, in its journal, and by other nights.

They are read some thousand at a time, and twice: for their keys, to know what need not be asked, and to land.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flows.evaluate.generate.journal import in_chunks, read_journal
from flows.evaluate.generate.pending import PendingRequests
from flows.evaluate.generate.requests import KEY_COLUMNS, Request, Row
from flows.evaluate.setup import PRODUCTION
from flows.lake import Lake, nightly_run_id

CANARY = "canary-"  # the files of canaries, whose answers are no repeats of the holdout's
_KNOWN_BY = (*KEY_COLUMNS, "status", "reused_from")


class StoredAnswers:
    """Where a run's answers may be found: its own first, then those of other nights that were looked for."""

    def __init__(self, lake: Lake, day: date, run_id: str, journal: Path) -> None:
        self._lake, self._day, self._run_id, self._journal = lake, day, run_id, journal
        self._other_runs: list[tuple[date, str]] = []
        self._since: date | None = None
        self._wanted_hashes = self._wanted_models = pa.array([], pa.string())

    def find_own(self, pending: PendingRequests) -> None:
        """Note in the register what this run has answered already."""
        for rows in chain(self._landed(_KNOWN_BY), self._journaled()):
            pending.add_answers(rows)

    def find_reusable(self, pending: PendingRequests, requests: Iterable[Request], since: date | None) -> None:
        """Note in the register what other runs have answered of `questions`, the newest answers first.

        With `since`, only what nights asked themselves, from then on and before the day itself: the day of a copy, and
        of a comparison by hand, does not tell when the answer was given. Else all there is, but what production
        answered, which was never put to the model that it stands for.
        """
        missing = [(request.request_hash, request.model) for request in requests if pending.is_open(request)]
        self._since = since
        self._wanted_hashes, self._wanted_models = (
            pa.array(sorted({one[n] for one in missing}), pa.string()) for n in (0, 1)
        )
        enough = pending.reused + len(missing)
        for day, file in self._files_of_other_nights():
            if pending.reused >= enough:
                return
            before = pending.reused
            for rows in self._rows_of_other_run(day, file, _KNOWN_BY):
                pending.add_answers(rows)
            if pending.reused > before:
                self._other_runs.append((day, file))

    def answers(self) -> Iterator[list[Row]]:
        """All that was found, and failed attempts of this run after them: the first row of a key is its answer."""
        yield from (_answered(rows) for rows in self._landed())
        yield from (_answered(rows) for rows in self._journaled())
        for day, file in self._other_runs:
            yield from self._rows_of_other_run(day, file)
        yield from self._journaled()

    def _landed(self, columns: Sequence[str] | None = None) -> Iterator[list[Row]]:
        for batch in self._lake.batches("completions", self._day, columns, self._run_id):
            yield batch.to_pylist()

    def _journaled(self) -> Iterator[list[Row]]:
        return in_chunks(read_journal(self._journal))

    def _files_of_other_nights(self) -> Iterator[tuple[date, str]]:
        for day in reversed(self._lake.days("completions")):
            if self._since is not None:
                if self._since <= day < self._day:
                    yield day, nightly_run_id(day)
                continue
            for file in self._lake.names("completions", day):
                if file != self._run_id and not file.startswith(CANARY):
                    yield day, file

    def _rows_of_other_run(self, day: date, file: str, columns: Sequence[str] | None = None) -> Iterator[list[Row]]:
        for batch in self._lake.batches("completions", day, columns, file):
            yield batch.filter(self._is_reusable(batch)).to_pylist()

    def _is_reusable(self, rows: pa.Table) -> pa.ChunkedArray:
        """Which rows of another run answer what is wanted, and may be taken."""
        asked = pc.and_(
            pc.is_in(rows["request_hash"], self._wanted_hashes), pc.is_in(rows["model"], self._wanted_models)
        )
        reused_from = rows["reused_from"]
        if self._since is not None:
            own = pc.is_null(reused_from)
        else:
            own = pc.fill_null(pc.not_equal(reused_from, PRODUCTION), True)
        return pc.and_(pc.and_(asked, own), pc.equal(rows["status"], "ok"))


def _answered(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["status"] == "ok"]

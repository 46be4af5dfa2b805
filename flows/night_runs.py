"""The record of a night's own running: how long each stage took, what it wrote and cost, and how much memory it needed.

A stage is recorded when it ends, in the lake's table night_runs. Where that cannot be written, the night goes on: its
own stages will say what is wrong with the lake.
"""

import logging
import resource
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow.compute as pc

from flows.config import Config
from flows.errors import in_one_line
from flows.lake import Lake, WrittenFile, from_rows, nightly_run_id, take_written
from flows.stopping import is_stopping

TABLE = "night_runs"
# And the column that says that an answer is not new.
_PAID = {"completions": "reused_from", "judgements": None, "anchor_grades": None}
_STATM = Path("/proc/self/statm")
_EVERY_S = 0.2

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StageRun:
    """One stage as it ran: a row of night_runs; `position` is its place in the night, from 1."""

    run: str
    stage: str
    position: int
    started_at: datetime
    seconds: float
    rows: int
    bytes: int
    cost_usd: float | None
    peak_memory_bytes: int
    state: str


class NightRuns:
    """The stages of one night as they end. The caller is a run."""

    def __init__(self, config: Config, day: date) -> None:
        self.lake, self.day, self.run = config.open_lake(), day, nightly_run_id(day)
        self.stages: list[StageRun] = []

    @contextmanager
    def measuring(self, stage: str) -> Iterator[None]:
        """Measure the block as a stage, and record it when it ends, also where it fails."""
        take_written(self.lake)
        started, began, state, memory = datetime.now(UTC), time.monotonic(), "failed", _Memory()
        try:
            with memory:
                yield
            state = "ok"
        finally:
            if not is_stopping():
                self._record(stage, started, time.monotonic() - began, memory.peak, state)

    def _record(self, stage: str, started: datetime, seconds: float, peak: int, state: str) -> None:
        try:
            written = [file for file in take_written(self.lake) if file.table != TABLE]
            rows = sum(file.rows for file in written if file.day == self.day)
            size = sum(file.bytes for file in written)
            cost = cost_of(self.lake, written)
            self.stages.append(
                StageRun(
                    self.run, stage, len(self.stages) + 1, started, round(seconds, 3), rows, size, cost, peak, state
                )
            )
            self.lake.write(TABLE, self.day, from_rows(map(asdict, self.stages), TABLE), self.run)
        except Exception as error:  # whatever it is, a record must not end a stage
            _logger.warning("the record of stage %s could not be written: %s", stage, in_one_line(error))


def cost_of(lake: Lake, written: Sequence[WrittenFile]) -> float | None:
    """What the answers in these files cost, in US dollars, without those of other runs; None where none is known."""
    costs = []
    for file in written:
        if file.table not in _PAID:
            continue
        reused = _PAID[file.table]
        rows = lake.read(file.table, file.day, file.file, columns=["cost_usd", *([reused] if reused else [])])
        if reused:
            rows = rows.filter(pc.is_null(rows.column(reused)))
        costs.append(pc.sum(rows.column("cost_usd")).as_py())
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


class _Memory:
    """The most memory that the process holds in a block, in bytes, looked at every 0.2 s.

    The kernel's own peak is of the whole process, and taking it back would spoil it for who measures the process.
    """

    def __init__(self) -> None:
        self.peak = _resident()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="genchi-memory", daemon=True)

    def __enter__(self) -> "_Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._done.wait(_EVERY_S):
            self._look()

    def _look(self) -> None:
        self.peak = max(self.peak, _resident())


def _resident() -> int:
    """The memory that the process holds now, in bytes; where the system does not tell, the most that it has held."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

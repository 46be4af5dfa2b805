"""One task on a worker: its files are read, mapped and redacted, and their rows are staged in the lake's store."""

import atexit
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import RunError, UnreadableError
from flows.ingest.find import fetched
from flows.ingest.map import TABLES, Workers
from flows.ingest.read import REFUSED, Batch, Content, LogFile, SpanRead, digest_of, read_files, read_span
from flows.ingest.spread.pieces import Job, Piece, Task
from flows.ingest.write import Lanes, Part, Partitions, Sieve
from flows.lake import StagedFile, Tombstones, WorkerStaging, join_staging, read_tombstones, reason_of

_RUNS_KEPT = 4


@dataclass(frozen=True)
class FileRead:
    """What reading a file has filled in; see LogFile."""

    bytes: int
    sha256: str
    content: Content | None
    problem: str


@dataclass
class Reading:
    """The result of a piece. Rows are in files of the staging, by table; other counts are one for each file.

    `refused` has the rows of REFUSED; `first_line` is to be added to its lines. `sieve` has what was dropped as
    forgotten, and the signals that are kept back. `checksums` are those of the spans that were read.
    """

    first: int
    files: list[FileRead]
    parts: dict[str, list[Part]] = field(default_factory=dict)
    refused: StagedFile | None = None
    other: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    incomplete: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    unreadable: Counter[tuple[str, str]] = field(default_factory=Counter)  # by source and column
    sieve: Sieve = field(default_factory=lambda: Sieve(Tombstones(b"")))
    forgotten: int = 0
    redacted: int = 0
    checksums: list[int] = field(default_factory=list)
    lines: int = 0
    first_line: int = 0


def read(task: Task) -> Reading:
    """Do a task: in any process, any number of times, with the same result.

    Raises RunError where this process does not see the lake.
    """
    job, piece = task.job, task.piece
    try:
        if piece.digest:
            return _digested(piece)
        with join_staging(job.config.open_lake(), job.staging) as staged, Lanes(1) as lanes:
            return _Reader(job, piece, staged, lanes).read()
    except UnreadableError as error:  # it cannot be sent to another process
        raise RunError(str(error)) from None


class _Reader:
    def __init__(self, job: Job, piece: Piece, staged: WorkerStaging, lanes: Lanes) -> None:
        self._piece, self._staged = piece, staged
        self._workers, tombstones = _kept(job)
        self._sieve = Sieve(tombstones)
        self._files = dict(enumerate(piece.files, piece.first))
        self._found = SpanRead()
        zone = job.config.timezone
        self._tables = {name: Partitions(name, zone, staged, self._files, lanes) for name in TABLES.values()}
        self._result = Reading(piece.first, [], other=self._none, incomplete=self._none)

    @property
    def _none(self) -> np.ndarray:
        return np.zeros(len(self._piece.files), np.int64)

    def read(self) -> Reading:
        result, redacted = self._result, self._workers.redacted_here.total()
        path = self._staged.scratch("refused")
        with pq.ParquetWriter(path, REFUSED, compression="zstd") as refusing:
            for batch in self._batches():
                refused = self._add(batch)
                if len(refused):
                    refusing.write_table(refused.select(REFUSED.names).cast(REFUSED))
        result.parts = {name: partitions.hand_in(self._staged) for name, partitions in self._tables.items()}
        handed_in = self._staged.hand_in(path)
        result.refused = handed_in if handed_in.entry.rows else None
        result.redacted = self._workers.redacted_here.total() - redacted
        result.sieve = self._sieve.without_tombstones()
        result.files = [_read_of(file) for file in self._piece.files]
        result.checksums, result.lines = [self._found.checksum], self._found.lines
        return result

    def _batches(self) -> Iterator[Batch]:
        piece = self._piece
        if piece.span is None:
            yield from read_files(fetched(piece.files), piece.first)
            return
        try:
            yield from read_span(piece.first, piece.files[0], piece.span, self._found)
        except UnreadableError as error:
            piece.files[0].problem = error.why
        except OSError as error:
            piece.files[0].problem = reason_of(error)

    def _add(self, batch: Batch) -> pa.Table:
        """Stage the rows of a batch, and count the rest. Returns the rejected records."""
        result, source = self._result, self._piece.source
        all_mapped = self._workers.map(source, batch)
        mapped = self._sieve.sift(all_mapped)
        result.forgotten += len(mapped.other) - len(all_mapped.other)
        for name, partitions in self._tables.items():
            partitions.add(getattr(mapped, name))
        result.other = result.other + self._per_file(mapped.other)
        result.incomplete = result.incomplete + self._per_file(mapped.incomplete)
        for columns in mapped.incomplete.column("unreadable").to_pylist():
            result.unreadable.update((source.name, column) for column in columns.split())
        return mapped.refused

    def _per_file(self, rows: pa.Table) -> np.ndarray:
        numbers = rows.column("file").to_numpy() - self._piece.first
        return np.bincount(numbers, minlength=len(self._piece.files))


def _digested(piece: Piece) -> Reading:
    file = piece.files[0]
    try:
        content, checksums = digest_of(file, piece.digest)
    except UnreadableError as error:
        return Reading(piece.first, [FileRead(0, "", None, error.why)])
    except OSError as error:
        return Reading(piece.first, [FileRead(0, "", None, reason_of(error))])
    return Reading(piece.first, [FileRead(content.bytes, content.sha256, content, "")], checksums=checksums)


def _read_of(file: LogFile) -> FileRead:
    return FileRead(file.bytes, file.sha256, file.content, file.problem)


@dataclass
class _Kept:
    """What this process keeps of a run between its tasks."""

    workers: Workers
    staging: str
    tombstones: Tombstones


_runs: OrderedDict[str, _Kept] = OrderedDict()
_lock = threading.Lock()


@atexit.register
def _close() -> None:
    """Close the connections of the mappers; a worker ends after its last task."""
    for kept in _runs.values():
        kept.workers.__exit__()


def _kept(job: Job) -> tuple[Workers, Tombstones]:
    """The mappers and redactors of this process for a run, and the tombstones as its publication has them."""
    with _lock:
        known = _runs.get(job.run)
        if known is None or known.staging != job.staging:
            tombstones = read_tombstones(job.config.open_lake(), job.secret)
            workers = known.workers if known else Workers(job.config, job.secret)
            known = _runs[job.run] = _Kept(workers, job.staging, tombstones)
        _runs.move_to_end(job.run)
        while len(_runs) > _RUNS_KEPT:
            _runs.popitem(last=False)
    return known.workers, known.tombstones

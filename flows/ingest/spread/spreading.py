"""The tasks of a publication, from its files to their results in order."""

import logging
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from flows.cluster import Tasks
from flows.config import Config, Embedding
from flows.ingest.read import LogFile
from flows.ingest.spread.pieces import Files, Job, Piece, Task, pieces_of
from flows.ingest.spread.readings import FileRead, Reading, read
from flows.lake import Staging

log = logging.getLogger("genchi")


class Spread:
    """Reads on a cluster."""

    def __init__(self, config: Config, secret: bytes, tasks: Tasks) -> None:
        self._config, self._secret, self._run = config, secret, uuid.uuid4().hex
        self._tasks = tasks
        self._read_here = 0

    def readings(self, staged: Staging, given: Sequence[Files]) -> Iterator[Reading]:
        """The results of all files, in order. Each file gets what its reading fills in.

        A file that no worker can read, or that changes while several read it, is read by this process.
        """
        # Workers do not need what only other stages use, and what they do not have they cannot tell.
        unneeded = {"alerts": (), "models": None, "ping": None, "embedding": Embedding()}
        config = self._config.model_copy(update=unneeded)
        job = Job(self._run, staged.name, config, self._secret)
        pieces = list(chain.from_iterable(pieces_of(self._config, files) for files in given))
        results = self._tasks.map(read, [Task(job, piece) for piece in pieces if not piece.is_of_database])
        todo = iter(pieces)
        for piece in todo:
            if piece.digest:
                digest = next(results)
                spans = [next(results) for _ in piece.digest]
                for _ in piece.digest:
                    next(todo)
                yield from self._joined(job, piece, digest, spans)
            elif piece.is_of_database:  # one query, from where its server may be reached
                yield self._read_by_this(job, piece)
            else:
                yield self._checked(job, piece, next(results))
        if self._read_here:
            log.warning(
                "%s files or parts of files could not be read by a worker, and were read by this process; put them"
                " where all workers can read them, under the same path",
                f"{self._read_here:,}",
            )

    def refused(self, staged: Staging, reading: Reading) -> Iterator[pa.Table]:
        """The rejected records of a reading, some thousand at once."""
        if reading.refused is not None:
            for rows in staged.batches(reading.refused):
                place = rows.column_names.index("line")
                yield rows.set_column(place, "line", pc.add(rows.column("line"), reading.first_line))

    def _checked(self, job: Job, piece: Piece, reading: Reading) -> Reading:
        """The result of some files, read again here if this process can open one that the worker could not."""
        pairs = list(zip(piece.files, reading.files, strict=True))
        if any(found.problem and not file.problem and _opens(file) for file, found in pairs):
            return self._read_again(job, piece)
        for file, found in pairs:
            _fill(file, found)
        return reading

    def _joined(self, job: Job, piece: Piece, digest: Reading, spans: list[Reading]) -> Iterator[Reading]:
        """The results of the spans of a file, if all have read the same content to the end."""
        found = digest.files[0]
        checksums = [checksum for span in spans for checksum in span.checksums]
        has_problem = bool(found.problem) or any(span.files[0].problem for span in spans)
        if has_problem or found.bytes != piece.digest[-1].size or checksums != digest.checksums:
            yield self._read_again(job, piece)
            return
        _fill(piece.files[0], found)
        lines = 0
        for span in spans:
            span.first_line = lines
            lines += span.lines
            yield span

    def _read_again(self, job: Job, piece: Piece) -> Reading:
        self._read_here += len(piece.files)
        return self._read_by_this(job, piece)

    def _read_by_this(self, job: Job, piece: Piece) -> Reading:
        copies = [replace(file) for file in piece.files]  # reading fills them in
        reading = read(Task(job, replace(piece.whole, files=copies)))
        for file, found in zip(piece.files, reading.files, strict=True):
            _fill(file, found)
        return reading


def _fill(file: LogFile, found: FileRead) -> None:
    file.bytes, file.sha256, file.content, file.problem = found.bytes, found.sha256, found.content, found.problem


def _opens(file: LogFile) -> bool:
    """Whether this process can read a file."""
    if file.open is None:
        return False
    try:
        with file.open() as stored:
            stored.read(1)
    except Exception as error:  # whatever it is, the reading itself tells
        log.debug("%s: %s", file.name, type(error).__name__)
        return False
    return True

"""Files to batches of records, in bounded memory. A record is one line of a log, one document of a `.json` file, or
one row of a CSV file, a Parquet file or a database.

What cannot be decoded (bad gzip, bad UTF-8) is a rejected record with its reason, so that nothing is lost.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO

import pyarrow as pa
from typing_extensions import Buffer

from flows.errors import UnreadableError
from flows.ingest.read.arrow_batches import BATCH_BYTES, Batch, Filling
from flows.ingest.read.contents import Content, Digest, Hashing
from flows.ingest.read.decompress import BrokenOffError
from flows.ingest.read.encodings import in_utf8
from flows.ingest.read.json_documents import documents, is_lines, is_list
from flows.ingest.read.parquet_rows import csv_rows, parquet_rows
from flows.lake import reason_of

# A longer line is rejected in pieces: Arrow's texts are limited to 2 GiB.
_LONGEST = 1 << 28


@dataclass(frozen=True)
class EarlierReading:
    """A file as a night has read it, under the name that it had then."""

    night: date
    name: str


@dataclass
class LogFile:
    """One file of a source, or the rows of a database: its name in the lake, and how to open it.

    Reading it fills in its bytes and hash, and those of its content (see contents.py); those of rows are of their JSON.
    `expected_bytes` is its size when found, `modified` when it last changed. `continues` are readings with rejected
    records of the same file, renamed or not, when it was shorter. `moved_to` is where that content is now which the
    night has read under this file's name.
    `problem` says why it, or a folder of this name, cannot be read (to its end).
    """

    source: str
    name: str
    open: Callable[[], IO[bytes]] | None = None
    rows: Callable[[], Iterator[pa.Table]] | None = None
    expected_bytes: int = 0
    modified: datetime | None = None
    is_remote: bool = False
    continues: tuple[EarlierReading, ...] = ()
    moved_to: str = ""
    bytes: int = 0
    sha256: str = ""
    content: Content | None = None
    problem: str = ""


def read_files(files: Iterable[LogFile], first: int = 0) -> Iterator[Batch]:
    """The records of files, in order; files are numbered from `first`.

    Blank lines are skipped. Never raises for the content of a file.
    """
    filling = Filling()
    for number, file in enumerate(files, first):
        for _ in _read_one(number, file, filling):
            if filling.is_full():
                yield filling.take()
    if not filling.is_empty():
        yield filling.take()


def _read_one(number: int, file: LogFile, filling: Filling) -> Iterator[None]:
    """Add the records of one file to `filling`; yields after each part. A file that cannot be read gets a problem."""
    if file.rows is not None:
        digest = Digest()
        for rows in file.rows():
            for raw in rows.column("raw").to_pylist():
                digest.add(raw.encode())
            filling.add_rows(number, rows)
            yield
        file.content = digest.content()
        file.bytes, file.sha256 = file.content.bytes, file.content.sha256
    elif file.open is not None and not file.problem:
        try:
            yield from _read_file(number, file, file.open, filling)
        except UnreadableError as error:
            file.problem = error.why
        except OSError as error:
            file.problem = reason_of(error)


def _read_file(number: int, file: LogFile, opening: Callable[[], IO[bytes]], filling: Filling) -> Iterator[None]:
    with opening() as stored:
        hashing = Hashing(stored)
        if not file.name.lower().endswith(".parquet"):
            yield from _read_blocks(number, file.name, hashing, filling)
        as_stored, file.content = hashing.finish()
        file.bytes, file.sha256 = as_stored.bytes, as_stored.sha256
    if file.name.lower().endswith(".parquet"):
        with opening() as stored:
            for rows in parquet_rows(stored):
                filling.add_rows(number, rows)
                yield


def _read_blocks(number: int, name: str, stored: Hashing, filling: Filling) -> Iterator[None]:
    blocks = _Guarded(in_utf8(stored.blocks()))
    plain_name = name.lower().removesuffix(".gz").removesuffix(".zst")
    line = 0
    if plain_name.endswith(".csv"):
        for rows in csv_rows(io.BufferedReader(_Joined(iter(blocks)))):
            filling.add_rows(number, rows)
            line = rows.column("line")[-1].as_py()
            yield
    elif is_list(blocks.peek()) if not plain_name.endswith(".json") else not is_lines(blocks.peek()):
        for line, text in enumerate(documents(blocks), 1):
            if len(text) > _LONGEST:
                filling.refuse(number, line, f"a document of more than {_LONGEST >> 20} MiB", text)
            else:
                filling.add_one(number, line, text)
            yield
    else:
        for line in _lines(number, blocks, filling):  # noqa: B007 - the last one counts
            yield
    if blocks.broken is not None:
        why, rest = f"the compressed file is cut off here: {blocks.broken}", blocks.cut_line + blocks.broken.rest
        while rest or why:
            line += 1
            filling.refuse(number, line, why, rest)
            yield
            rest = stored.read(_LONGEST // 4)
            why = why if rest else ""


class _Guarded:
    """Blocks that end, instead of raising, if a compressed file is truncated; `broken` then has the reason."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._peeked = b""
        self.broken: BrokenOffError | None = None
        self.cut_line = b""

    def peek(self) -> bytes:
        """The first block, without consuming it."""
        try:
            self._peeked = next(self._blocks, b"")
        except BrokenOffError as error:
            self.broken = error
        return self._peeked

    def __iter__(self) -> Iterator[bytes]:
        if self._peeked:
            yield self._peeked
        try:
            yield from self._blocks
        except BrokenOffError as error:
            self.broken = error


class _Joined(io.RawIOBase):
    """Blocks as a sequentially readable file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._left = blocks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        wanted = memoryview(buffer)
        while not self._left:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._left = block
        given, self._left = self._left[: len(wanted)], self._left[len(wanted) :]
        wanted[: len(given)] = given
        return len(given)


def add_lines(number: int, blocks: Iterator[bytes], filling: Filling) -> Iterator[int]:
    """Add the lines of plain text to `filling`. Returns the number of the last line after each part."""
    return _lines(number, _Guarded(blocks), filling)


def _lines(number: int, blocks: _Guarded, filling: Filling) -> Iterator[int]:
    """Add the lines of a file in large blocks, without copying each line. Returns the number of the last line."""
    last, size = 0, 0
    waiting: list[bytes] = []
    for block in blocks:
        waiting.append(block)
        size += len(block)
        if size > _LONGEST or (size >= BATCH_BYTES // 8 and b"\n" in waiting[-1]):
            text = b"".join(waiting)
            cut = text.rfind(b"\n") + 1
            if cut:
                last = filling.add_lines(number, last, text, cut)
            else:
                last += 1
                filling.refuse(number, last, f"a line of more than {_LONGEST >> 20} MiB, in pieces", text)
                cut = len(text)
            waiting, size = [text[cut:]], len(text) - cut
            yield last
    text = b"".join(waiting)
    cut = len(text) if blocks.broken is None else text.rfind(b"\n") + 1
    blocks.cut_line = text[cut:]
    if cut:
        yield filling.add_lines(number, last, text, cut)

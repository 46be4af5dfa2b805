"""Big files of lines in spans that are read apart, each line in exactly one of them.

A line is in the span in which its first byte lies. All readers of a file read its first bytes only, as many as it had
when it was found. Each span has a checksum (CRC-32), so that a file which changed between two readings is noticed.
"""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from flows.ingest.read.arrow_batches import Batch, Filling
from flows.ingest.read.contents import Content, Digest
from flows.ingest.read.decompress import BLOCK, is_packed
from flows.ingest.read.encodings import is_plain
from flows.ingest.read.json_documents import is_lines, is_list
from flows.ingest.read.reader import LogFile, add_lines

_OTHER_KINDS = (".csv", ".parquet", ".gz", ".zst")


@dataclass(frozen=True)
class Span:
    """The bytes of a file from `start` up to `end`; the file has `size`."""

    start: int
    end: int
    size: int


@dataclass
class SpanRead:
    """What a reading of a span has found: its checksum, and the number of its lines."""

    checksum: int = 0
    lines: int = 0


def spans_of(file: LogFile, most: int) -> list[Span]:
    """A file's spans of at most so many bytes; none where it is no big file of plain lines, or cannot be read."""
    size = file.expected_bytes
    if size < 2 * most or file.open is None or file.problem or file.name.lower().endswith(_OTHER_KINDS):
        return []
    try:
        with file.open() as stored:
            first = stored.read(BLOCK)
    except OSError:
        return []
    as_json = file.name.lower().endswith(".json")
    is_of_lines = is_lines(first) if as_json else not is_list(first)
    if is_packed(first) or not is_plain(first) or not is_of_lines:
        return []
    return [Span(start, min(start + most, size), size) for start in range(0, size, most)]


def digest_of(file: LogFile, spans: list[Span]) -> tuple[Content, list[int]]:
    """The content of a file that has these spans, and the checksum of each."""
    digest, checksums = Digest(), []
    with _opened(file) as stored:
        for span in spans:
            checksum, left = 0, span.end - span.start
            while left and (block := stored.read(min(BLOCK, left))):
                digest.add(block)
                checksum, left = zlib.crc32(block, checksum), left - len(block)
            checksums.append(checksum)
    return digest.content(), checksums


def read_span(number: int, file: LogFile, span: Span, found: SpanRead) -> Iterator[Batch]:
    """The records of a span, its lines numbered from 1; `found` is filled in. Raises OSError or RunError.

    A line that is too long is rejected in pieces, which may be others than those of the whole file.
    """
    filling = Filling()
    with _opened(file) as stored:
        for last in add_lines(number, _blocks(stored, span, found), filling):
            found.lines = last
            if filling.is_full():
                yield filling.take()
    if not filling.is_empty():
        yield filling.take()


def _blocks(stored: IO[bytes], span: Span, found: SpanRead) -> Iterator[bytes]:
    """The bytes of the lines of a span: from after the first line feed at or after `start` - 1 to that of `end` - 1."""
    at = max(span.start - 1, 0)
    stored.seek(at)
    is_begun = span.start == 0
    while at < span.size and (block := stored.read(min(BLOCK, span.size - at))):
        place, at = at, at + len(block)
        found.checksum = zlib.crc32(block[max(0, span.start - place) : max(0, span.end - place)], found.checksum)
        begin = 0
        if not is_begun:
            begin = block.find(b"\n") + 1
            is_begun = begin > 0
            if (not is_begun and at >= span.end) or (is_begun and place + begin >= span.end):
                return  # no line begins here
        end = block.find(b"\n", max(begin, span.end - 1 - place)) + 1 if at >= span.end else 0
        if is_begun:
            yield block[begin : end or len(block)]
        if end:
            return


@contextmanager
def _opened(file: LogFile) -> Iterator[IO[bytes]]:
    if file.open is None:
        raise ValueError(f"{file.name} is no file")
    with file.open() as stored:
        yield stored

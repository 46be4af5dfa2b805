"""Files to records: a record is one line of a log, or one object of a `.json` file.

What is no text (bad gzip, bad UTF-8) is a record too, with its reason, so that nothing is lost.
"""

import base64
import glob
import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO

from flows.config import Source

IN_BASE64 = "; raw is base64"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Record:
    """One record as it stands in its file. `line` counts from 1; `problem` says why it cannot be read."""

    line: int
    raw: str
    problem: str | None = None


@dataclass(frozen=True)
class LogFile:
    """One file of a source, by the hash of its bytes as they lie on disk."""

    source: str
    path: Path
    sha256: str
    bytes: int


def find(source: Source, day: date) -> list[Path]:
    """The files of a source for one day, by name. A path without `{day}` gives the same files every day."""
    pattern = source.path.replace("{day}", day.isoformat())
    return sorted(path for name in glob.glob(pattern, recursive=True) if (path := Path(name)).is_file())


def identify(source: Source, path: Path) -> LogFile:
    """Hash a file without holding it in memory."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            size += len(block)
    return LogFile(source.name, path, digest.hexdigest(), size)


def read(path: Path) -> Iterator[Record]:
    """The records of a file, in order. Blank lines are none. Never raises for what is in the file."""
    with path.open("rb") as stored:
        blocks = _unzipped(stored) if _is_gzip(stored) else iter(lambda: stored.read(_BLOCK), b"")
        yield from (_whole if path.name.removesuffix(".gz").endswith(".json") else _lines)(blocks)


class BrokenOffError(Exception):
    """A compressed file cannot be unpacked further; `rest` is what could not be."""

    def __init__(self, reason: str, rest: bytes) -> None:
        super().__init__(reason)
        self.rest = rest


def _is_gzip(file: IO[bytes]) -> bool:
    """By its first bytes, for names lie."""
    start = file.read(2)
    file.seek(0)
    return start == b"\x1f\x8b"


def _unzipped(stored: IO[bytes]) -> Iterator[bytes]:
    """What a gzip file holds, member by member, as far as it can be unpacked. Raises BrokenOffError after that."""
    inflate = zlib.decompressobj(wbits=31)
    waiting = b""
    while waiting or (waiting := stored.read(_BLOCK)):
        if inflate.eof:
            waiting = waiting.lstrip(b"\0")  # padding between members, or after the last
            if not waiting:
                continue
            inflate = zlib.decompressobj(wbits=31)
        try:
            yield inflate.decompress(waiting, _BLOCK)
        except zlib.error as error:
            raise BrokenOffError(str(error), waiting) from None
        waiting = inflate.unconsumed_tail or inflate.unused_data
    if not inflate.eof:
        yield inflate.flush()
        raise BrokenOffError("it ends in the middle", b"")


def _lines(blocks: Iterable[bytes]) -> Iterator[Record]:
    number, begun = 0, b""
    try:
        for block in blocks:
            *whole, begun = (begun + block).split(b"\n")
            for line in whole:
                number += 1
                if line.strip():
                    yield _decoded(number, line.rstrip(b"\r"))
    except BrokenOffError as error:
        why = f"the compressed file breaks off here: {error}{IN_BASE64}"
        yield Record(number + 1, _base64(begun + error.rest), why)
        return
    if begun.strip():
        yield _decoded(number + 1, begun.rstrip(b"\r"))


def _whole(blocks: Iterable[bytes]) -> Iterator[Record]:
    """A `.json` file: one object, a list of objects, or (as many tools write it) lines after all."""
    kept: list[bytes] = []
    try:
        kept.extend(blocks)
    except BrokenOffError as error:
        why = f"the compressed file breaks off: {error}{IN_BASE64}"
        yield Record(1, _base64(b"".join(kept) + error.rest), why)
        return
    content = b"".join(kept)
    record = _decoded(1, content)
    try:
        parsed = json.loads(record.raw)
    except (ValueError, RecursionError):
        yield from _lines([content])
        return
    if isinstance(parsed, list):
        yield from (Record(number, json.dumps(item)) for number, item in enumerate(parsed, 1))
    else:
        yield record


def _decoded(number: int, line: bytes) -> Record:
    try:
        return Record(number, line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        return Record(number, _base64(line), f"no valid UTF-8 at byte {error.start}{IN_BASE64}")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")

"""Files to records: a record is one line of a log, or one object of a `.json` file.

What is no text (bad gzip, bad UTF-8) is a record too, with its reason, so that nothing is lost.
"""

import base64
import glob
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO

from flows.config import Source


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
        plain: IO[bytes] = io.BufferedReader(gzip.GzipFile(fileobj=stored)) if _is_gzip(stored) else stored
        name = path.name.removesuffix(".gz")
        yield from _whole(plain) if name.endswith(".json") else _lines(plain)


def _is_gzip(file: IO[bytes]) -> bool:
    """By its first bytes, for names lie."""
    start = file.read(2)
    file.seek(0)
    return start == b"\x1f\x8b"


def _lines(file: IO[bytes]) -> Iterator[Record]:
    number = 0
    while True:
        number += 1
        try:
            line = file.readline()
        except (EOFError, OSError, zlib.error) as error:
            yield Record(number, "", f"the compressed file breaks off before this line: {error}")
            return
        if not line:
            return
        if line.strip():
            yield _decoded(number, line.rstrip(b"\r\n"))


def _whole(file: IO[bytes]) -> Iterator[Record]:
    """A `.json` file: one object, a list of objects, or (as many tools write it) lines after all."""
    try:
        content = file.read()
    except (EOFError, OSError, zlib.error) as error:
        yield Record(1, "", f"the compressed file breaks off: {error}")
        return
    record = _decoded(1, content)
    try:
        parsed = json.loads(record.raw)
    except (ValueError, RecursionError):
        yield from _lines(io.BytesIO(content))
        return
    if isinstance(parsed, list):
        yield from (Record(number, json.dumps(item, ensure_ascii=False)) for number, item in enumerate(parsed, 1))
    else:
        yield record


def _decoded(number: int, line: bytes) -> Record:
    try:
        return Record(number, line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except UnicodeDecodeError as error:
        encoded = base64.b64encode(line).decode("ascii")
        return Record(number, encoded, f"no valid UTF-8 at byte {error.start}; raw is base64")

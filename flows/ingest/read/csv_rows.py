"""Rows of CSV as records: one JSON object a row, with the names of the first row.

An invalid row (too many fields, an unclosed quote, not UTF-8) becomes a record with its reason and its own lines; the
rows after it are read as usual.
"""

import ast
import csv
import json
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import IO

import pyarrow as pa

from flows.ingest.read.record_batches import Batches

# The longest row: a field of 100 MB must be read, a missing quote must not load a file of gigabytes into memory.
_LONGEST = 256 << 20
# A longer value of Python's is left as it is: to read it takes many times its size.
_LONGEST_LITERAL = 4 << 20


def csv_rows(file: IO[bytes]) -> Iterator[pa.Table]:
    """The rows of a CSV file in tables of line (the row's first, from 1), raw and problem. Never raises for the file.

    Values are texts, an empty one is null; objects and lists of them that Python printed are JSON. Fields are separated
    by commas, or by semicolons or tabs if the first row has no comma. Quotes are doubled within quotes; a row may have
    several lines.
    """
    csv.field_size_limit(_LONGEST)
    batches = Batches()
    lines = _Lines(file)
    names: list[str] | None = None
    unreadable = "the first row, which names the columns, cannot be read"
    while (row := _next_row(lines, len(names) if names else None)) is not None:
        fields, problem = row
        raw = b"".join(lines.taken).rstrip(b"\r\n")
        if names is None and problem is None:
            names = _names(fields)
        elif not fields and problem is None:  # a blank line
            continue
        elif names is None or problem or len(fields) != len(names):
            counted = f"{len(fields)} fields, expected {len(names or [])}"
            yield from batches.add_bytes(lines.first, raw, problem or counted)
            if names is None:
                break
        else:
            values = {name: in_json(value) or None for name, value in zip(names, fields, strict=True)}
            yield from batches.add(lines.first, json.dumps(values, ensure_ascii=False))
    if names is None:
        for number, line in lines.all_others():
            yield from batches.add_bytes(number, line.rstrip(b"\r\n"), unreadable)
    yield from batches.rest()


def in_json(text: str) -> str:
    """A value as JSON where it is an object, or a list of objects, as Python prints it: data frames write CSV so."""
    if text.startswith(("{'", "[{'")) and len(text) <= _LONGEST_LITERAL:
        try:
            return json.dumps(ast.literal_eval(text), ensure_ascii=False, allow_nan=False)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            pass  # no such value: it stays as it is
    return text


class _Lines:
    """The physical lines of a file, as input of csv's reader; lines can be put back if it took too many."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._waiting: deque[bytes] = deque()
        self._number = 0
        self.taken: list[bytes] = []
        self.size = 0
        self.delimiter = ","

    @property
    def first(self) -> int:
        """The number of the first line taken."""
        return self._number - len(self.taken) + 1

    def start(self) -> None:
        """Begin a row."""
        self.taken, self.size = [], 0

    def __iter__(self) -> Iterator[str]:
        """Lines as text; invalid bytes become characters that do not occur in text, which mark the row."""
        while (line := self._waiting.popleft() if self._waiting else self._file.readline(_LONGEST)) != b"":
            self._number += 1
            if self._number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
                self.delimiter = "," if b"," in line else max(",;\t", key=lambda mark: line.count(mark.encode()))
            self.taken.append(line)
            self.size += len(line)
            if self.size > _LONGEST:
                raise csv.Error(f"a row longer than {_LONGEST >> 20} MiB")
            yield line.decode("utf-8", "surrogateescape")

    def put_back(self, kept: int) -> None:
        """Keep the first `kept` of the taken lines; put the others back."""
        self._waiting.extendleft(reversed(self.taken[kept:]))
        self._number -= len(self.taken) - kept
        del self.taken[kept:]

    def all_others(self) -> Iterator[tuple[int, bytes]]:
        """The remaining lines, one by one."""
        self.start()
        for _ in self:
            yield self._number, self.taken[-1]
            self.start()


def _next_row(lines: _Lines, width: int | None) -> tuple[list[str], str | None] | None:
    """The next row's fields and what is wrong with it; None at the end of the file."""
    lines.start()
    source = iter(lines)
    try:
        first = next(source, None)
        if first is None:
            return None
        fields = next(csv.reader(chain([first], source), strict=True, delimiter=lines.delimiter))
    except (csv.Error, StopIteration) as error:
        lines.put_back(_lost(lines, width))
        return [], _why(error)
    text = "".join(fields)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return fields, "not valid UTF-8"
    return fields, "a NUL character" if "\0" in text else None


def _lost(lines: _Lines, width: int | None) -> int:
    """How many of the lines of a broken row belong to it: those before the first line that is a complete row."""
    for number, line in enumerate(lines.taken[1:], 1):
        if width is not None and width > 1 and line.count(lines.delimiter.encode()) >= width - 1:
            try:
                alone = next(csv.reader([line.decode()], strict=True, delimiter=lines.delimiter), [])
            except (csv.Error, UnicodeDecodeError):
                continue
            if len(alone) == width:
                return number
    return len(lines.taken)


def _why(error: BaseException) -> str:
    message = str(error)
    return "unclosed quote" if "unexpected end of data" in message else f"not valid CSV: {message or 'no row'}"


def _names(fields: list[str]) -> list[str]:
    """The columns' names: an empty name becomes the column's position, a duplicate name gets a number."""
    found: dict[str, int] = {}
    names = []
    for place, field in enumerate(fields, 1):
        name = field.strip() or f"column_{place}"
        found[name] = found.get(name, 0) + 1
        names.append(name if found[name] == 1 else f"{name}_{found[name]}")
    return names

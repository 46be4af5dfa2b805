"""A run's journal: every answer as a line of JSON, noted as it comes, so that a kill loses none."""

import json
import logging
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TypeVar

from flows.evaluate.generate.requests import Row

log = logging.getLogger(__name__)

_ROWS_AT_ONCE = 4096
_T = TypeVar("_T")


def read_journal(path: Path) -> Iterator[Row]:
    """The answers noted so far, one at a time; a line that was torn by a kill is left out."""
    return (row for row in _read(path) if "batch_id" not in row)


def read_batch_ids(path: Path, model: str) -> list[Row]:
    """The batches that were begun for a model, each with its `batch_id`."""
    return [row for row in _read(path) if "batch_id" in row and row["model"] == model]


def _read(path: Path) -> Iterator[Row]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                row = json.loads(line)
            except ValueError:
                log.warning("%s: a torn line is left out", path)
                continue
            yield row


def appending(path: Path) -> IO[bytes]:
    """The journal, open for more and written at once; a torn last line is ended first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("ab+", buffering=0)
    if file.tell():
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
    return file


def note(file: IO[bytes], row: Row) -> None:
    """Add a row, in one write."""
    file.write(json.dumps(row, ensure_ascii=True).encode() + b"\n")


def in_chunks(items: Iterable[_T], size: int = _ROWS_AT_ONCE) -> Iterator[list[_T]]:
    """The items, some at a time."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch

"""A run's journal: each answer is appended as a line of JSON when it arrives, so that a kill loses none."""

import errno
import json
import logging
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TypeVar

from flows.errors import RunError
from flows.evaluate.generate.requests import Row
from flows.lake import storable_row

log = logging.getLogger(__name__)

_ROWS_AT_ONCE = 4096
_NEEDED = ({"batch_id", "model"}, {"request_hash", "status"})  # of a submitted batch, of an answer
_T = TypeVar("_T")


def read_journal(path: Path) -> Iterator[Row]:
    """The answers in the journal, one at a time. Lines that are none, or that a kill left incomplete, are skipped.

    Whatever stands in the lines, which an older version may have written, the answers can be stored.
    """
    return (row for row in _read(path) if "batch_id" not in row)


def read_batch_ids(path: Path, model: str) -> list[Row]:
    """The submitted batches of a model, each with its `batch_id`."""
    return [row for row in _read(path) if "batch_id" in row and row["model"] == model]


def _read(path: Path) -> Iterator[Row]:
    if not path.exists():
        return
    skipped = 0
    with path.open("rb") as file:
        for line in file:
            row = _row_of(line)
            if row is None:
                skipped += 1
            else:
                yield row
    if skipped:
        log.warning("%s: skipped %d unreadable lines; their requests are sent again", path, skipped)


def _row_of(line: bytes) -> Row | None:
    """The answer or the submitted batch of a line; None if it is neither."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    is_whole = isinstance(row, dict) and any(needed <= row.keys() for needed in _NEEDED)
    return storable_row(row) if is_whole else None


def open_for_append(path: Path) -> IO[bytes]:
    """Open the journal for unbuffered appending. An incomplete last line is terminated first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("ab+", buffering=0)
    if file.tell():
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            file.write(b"\n")
    return file


def append_answer(file: IO[bytes], row: Row) -> None:
    """Append an answer (or a submitted batch) as one line, in one write. Raises RunError if the disk refuses it."""
    line = json.dumps(row, ensure_ascii=True).encode() + b"\n"
    try:
        written = file.write(line)
    except OSError as error:
        written, problem = 0, error.strerror
    else:
        problem = os.strerror(errno.ENOSPC)  # of a full disk, the first sign is a write that is cut short
    if written != len(line):
        raise RunError(
            f"{file.name}: {problem} while writing an answer; those before it are kept: free space, and run the same"
            " command again"
        )


def in_chunks(items: Iterable[_T], size: int = _ROWS_AT_ONCE) -> Iterator[list[_T]]:
    """The items in lists of at most `size`."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch

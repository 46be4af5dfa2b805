"""The local journal of what people decide: a line of JSON each, on the disk before it is acknowledged.

The journal is `<config.state>/_review/journal.jsonl`. Several pages may append to it at once: each append holds a file
lock. `seal` puts the journal aside under another name, so that it can be moved into the lake while appends go on; a
sealed file is deleted when its rows are in the lake.
"""

import fcntl
import json
import logging
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from flows.errors import RunError
from flows.lake import SCHEMAS, storable_row

Row = dict[str, Any]

# The tables that a journal may hold rows of, each with its key.
KEYS = {"annotations": "label_id", "review_decisions": "decision_id"}
_OPEN = "journal.jsonl"
_SEALED = "sealed-*.jsonl"

log = logging.getLogger("genchi")


@dataclass(frozen=True)
class Entry:
    """One row for a table of the lake."""

    table: str
    row: Row

    @property
    def key(self) -> str:
        """The row's id in its table."""
        return str(self.row[KEYS[self.table]])


@dataclass(frozen=True)
class Snapshot:
    """What a journal was at one time: when a file last came or went, in ns, and each file's inode and size in bytes."""

    moved_at: int
    files: dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Journal:
    """The journal in one folder."""

    folder: Path

    def append(self, entries: Sequence[Entry]) -> range:
        """Append the rows; when they are on the disk, return which bytes of the journal they are.

        Raises RunError if the disk refuses them; then none of them is in the journal.
        """
        lines = b"".join(_line(entry) for entry in entries)
        place = self.folder / _OPEN
        try:
            with self._locked():
                is_new = not place.exists()
                with place.open("ab+", buffering=0) as file:
                    size = file.tell()
                    content = _after_torn_line(place, size) + lines
                    try:
                        _write(file.fileno(), content)
                    except OSError:
                        os.ftruncate(file.fileno(), size)
                        raise
                if is_new:
                    _sync_folder(self.folder)
                return range(size, size + len(content))
        except OSError as error:
            raise RunError(
                f"{place}: {error.strerror} while writing a label; it was not saved: free space or check permissions"
            ) from None

    @property
    def place(self) -> Path:
        """The file that is appended to."""
        return self.folder / _OPEN

    def seal(self) -> list[Path]:
        """Put the journal aside, and return all files that are aside, those of a killed run too. Oldest first."""
        place = self.folder / _OPEN
        with self._locked():
            if place.exists() and place.stat().st_size:
                place.rename(self.folder / f"sealed-{uuid.uuid4().hex}.jsonl")
                _sync_folder(self.folder)
            return sorted(self.folder.glob(_SEALED), key=lambda path: (path.stat().st_mtime_ns, path.name))

    def discard(self, paths: Iterable[Path]) -> None:
        """Delete files that are aside, whose rows are in the lake by now. Nobody is reading them then."""
        with self._locked():
            for path in paths:
                path.unlink(missing_ok=True)

    def files(self) -> dict[str, int]:
        """The sizes in bytes of the journal's files, by their paths; empty where there is none."""
        return {path: size for path, (_, size) in self.snapshot().files.items()}

    def snapshot(self) -> Snapshot:
        """What to compare with a later one. Where `moved_at` is the same, nothing was collected between the two."""
        try:
            moved_at = self.folder.stat().st_mtime_ns
        except FileNotFoundError:
            moved_at = 0
        found = {}
        for path in [*self.folder.glob(_SEALED), self.folder / _OPEN]:
            try:
                stat = path.stat()
            except FileNotFoundError:  # not written yet, or collected by another process meanwhile
                continue
            found[str(path)] = stat.st_ino, stat.st_size
        return Snapshot(moved_at, found)

    def read(self) -> list[Entry]:
        """Every row that is not in the lake yet, as far as its line is whole."""
        with self._locked():
            return [entry for path in self.files() for entry in read_entries(Path(path))]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def journal_of(state: Path) -> Journal:
    """The journal beside a lake; `state` is `config.state`."""
    return Journal(state / "_review")


def read_entries(path: Path) -> Iterator[Entry]:
    """The rows of one file. A line that a kill left incomplete was never acknowledged: it is skipped and told."""
    skipped = 0
    with path.open("rb") as file:
        for line in file:
            try:
                yield _entry(line)
            except (ValueError, LookupError, TypeError, RecursionError):
                skipped += bool(line.strip())
    if skipped:
        log.warning("%s: skipped %d incomplete lines; what was not acknowledged was not kept", path, skipped)


def _line(entry: Entry) -> bytes:
    row = {name: _written(value) for name, value in entry.row.items()}
    return json.dumps({"table": entry.table, "row": row}, ensure_ascii=True).encode() + b"\n"


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _entry(line: bytes) -> Entry:
    """The row of a line, with its times as times. Raises ValueError, LookupError or TypeError where it is none."""
    found = json.loads(line)
    table, given = found["table"], storable_row(found["row"])
    schema = SCHEMAS[table]
    if table not in KEYS or not isinstance(given[KEYS[table]], str):
        raise ValueError("not a row of a journal")
    row: Row = {name: given.get(name) for name in schema.names}
    row["at"] = datetime.fromisoformat(given["at"])
    if row["at"].tzinfo is None:
        raise ValueError("a time without a zone")
    if row.get("queue_day") is not None:
        row["queue_day"] = date.fromisoformat(row["queue_day"])
    return Entry(table, row)


def _after_torn_line(place: Path, size: int) -> bytes:
    """What must come before a new line: a line feed where a kill left the last line incomplete."""
    if not size:
        return b""
    with place.open("rb") as file:
        file.seek(size - 1)
        return b"" if file.read(1) == b"\n" else b"\n"


def _write(descriptor: int, content: bytes) -> None:
    """Write all of it to the disk. Raises OSError if it does not fit."""
    while content:
        content = content[os.write(descriptor, content) :]
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make the names of a folder's files durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

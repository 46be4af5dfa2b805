"""What the files of the lake are known to be: bytes, rows and SHA-256 of each, as they were published.

`_inventory/YYYY-MM.json` has the files of a month's partitions. A file's name is written to `_inventory/pending.json`
before it is replaced; the months are written when the lock on files is released. A process that is killed meanwhile
leaves its names there, and the next one that takes the lock records those files as they are. Files of an older genchi
are not recorded.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import IO

import pyarrow.parquet as pq

from flows.errors import RunError
from flows.lake.backends import Backend
from flows.lake.parquet_files import CorruptError, mend_of, naming

_ROOT = "_inventory"
_PENDING = f"{_ROOT}/pending.json"
_MONTH = re.compile(r"/day=(\d{4}-\d\d)-")
_SHOWN = 5
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """A file as it was published. `told` is the night that has told of its loss or change."""

    bytes: int
    rows: int
    sha256: str
    told: str | None = None


@dataclass(frozen=True)
class Fault:
    """A file that is not as it was published, and how."""

    name: str
    what: str
    place: Path | str

    @property
    def text(self) -> str:
        """The fault and its mend, in one line."""
        return f"{self.place}: {self.what}; {mend_of(self.place)}"


@dataclass
class _Changes:
    """What this process has changed in one lake since the months were written."""

    pending: set[str] = field(default_factory=set)
    entries: dict[str, Entry | None] = field(default_factory=dict)


_changes: defaultdict[str, _Changes] = defaultdict(_Changes)
# What this process has written in each lake since `take_written`, also under locks that it has released.
_written: defaultdict[str, dict[str, Entry]] = defaultdict(dict)


class Inventory:
    """The inventory of one lake. Methods that write need the lock on files."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @property
    def _own(self) -> _Changes:
        return _changes[self._backend.address]

    def expect(self, names: Iterable[str]) -> None:
        """Note that these files are about to be replaced or removed."""
        own = self._own
        new = {name for name in names if _is_recorded(name)} - own.pending
        if new:
            own.pending |= new
            self._backend.write_text(_PENDING, json.dumps(sorted(own.pending)))

    def record(self, name: str, entry: Entry | None) -> None:
        """Note what a file is now; None if it was removed."""
        if _is_recorded(name):
            self._own.entries[name] = entry
            if entry:
                _written[self._backend.address][name] = entry

    def take_written(self) -> dict[str, Entry]:
        """The files that this process has written since the last call."""
        return _written.pop(self._backend.address, {})

    def flush(self) -> None:
        """Write the months of the files that were replaced. What was expected and not recorded is looked at again."""
        own = self._own
        if not own.pending:
            return
        for name in own.pending - set(own.entries):
            own.entries[name] = self._look(name)
        changed: dict[str, dict[str, Entry | None]] = defaultdict(dict)
        for name, entry in own.entries.items():
            changed[_month(name)][name] = entry
        for month, entries in changed.items():
            known = self._read(month) | entries
            text = json.dumps({name: asdict(entry) for name, entry in sorted(known.items()) if entry}, indent=0)
            self._backend.write_text(f"{_ROOT}/{month}.json", text)
        self._backend.remove(_PENDING)
        self._forget()

    def close(self, *, is_ours: bool) -> None:
        """Write the months if the lock `is_ours`; another run that has it by now records what `pending.json` names."""
        try:
            if is_ours:
                self.flush()
        finally:
            self._forget()

    def _forget(self) -> None:
        _changes.pop(self._backend.address, None)

    def recover(self) -> None:
        """Record what a killed run left pending, as it is."""
        try:
            left = json.loads(self._backend.read_text(_PENDING) or "[]")
        except ValueError:
            left = []
        if isinstance(left, list):
            self._own.pending |= {name for name in left if isinstance(name, str) and _is_recorded(name)}
        self.flush()

    def compare(self, *, is_deep: bool = False, night: date | None = None) -> list[Fault]:
        """The recorded files that are gone or have changed: by their size, or if `is_deep` by their content.

        `is_deep` also reads the ends of files that are not recorded. With a `night`, what an earlier night has told is
        left out, and the rest is marked as told by it.
        """
        sizes = self._backend.sizes("*/day=*/*.parquet")
        pending, faults, seen = self._own.pending, list[Fault](), set[str]()
        for month in sorted(self._months()):
            for name, entry in sorted(self._read(month).items()):
                seen.add(name)
                if name in pending or (night and entry.told not in (None, night.isoformat())):
                    continue
                what = self._difference(name, entry, sizes.get(name), is_deep=is_deep)
                if what:
                    faults.append(Fault(name, what, self._backend.place(name)))
                    if night and entry.told is None:
                        self.expect([name])
                        self.record(name, replace(entry, told=night.isoformat()))
        for name in sorted(set(sizes) - seen - pending) if is_deep else ():
            what = self._problem(name)
            if what:
                faults.append(Fault(name, what, self._backend.place(name)))
        return faults

    def _difference(self, name: str, entry: Entry, size: int | None, *, is_deep: bool) -> str:
        if size is None:
            return f"the file is gone; it had {entry.rows:,} rows"
        if size != entry.bytes:
            return f"the file has changed: {size:,} bytes, {entry.bytes:,} when it was written with {entry.rows:,} rows"
        if is_deep:
            now = self._look(name)
            if now is None or now.sha256 != entry.sha256:
                return f"the file has changed: its content is not that which was written with {entry.rows:,} rows"
        return ""

    def _problem(self, name: str) -> str:
        source = self._backend.source(name)
        try:
            if source is not None:
                with naming(name):
                    pq.read_metadata(source)
        except CorruptError as error:
            return str(error).removeprefix(f"{name}: ").split("; ")[0]
        return ""

    def _look(self, name: str) -> Entry | None:
        """A file as it is; None if it does not exist. One that is not Parquet has no rows."""
        source = self._backend.source(name)
        return None if source is None else entry_of(source)

    def _months(self) -> list[str]:
        names = self._backend.names(f"{_ROOT}/*.json")
        return [name.removeprefix(f"{_ROOT}/").removesuffix(".json") for name in names if name != _PENDING]

    def _read(self, month: str) -> dict[str, Entry]:
        name = f"{_ROOT}/{month}.json"
        try:
            written = json.loads(self._backend.read_text(name) or "{}")
            return {str(file): Entry(**entry) for file, entry in written.items()}
        except (ValueError, TypeError, AttributeError):
            raise CorruptError(
                f"{self._backend.place(name)}: not a readable inventory; delete it: the files of that month are then"
                " not compared until they are written again"
            ) from None


def entry_of(source: Path | IO[bytes]) -> Entry:
    """The entry of a file."""
    digest, size = hashlib.sha256(), 0
    file = source.open("rb") if isinstance(source, Path) else source
    with file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
        file.seek(0)
        return Entry(size, _rows_of(file), digest.hexdigest())


def _rows_of(file: IO[bytes]) -> int:
    try:
        with naming("a file"):
            return int(pq.read_metadata(file).num_rows)
    except RunError:
        return 0


def in_one_text(faults: list[Fault]) -> str:
    """Faults in one line: the first few, and how many more."""
    shown = " | ".join(fault.text for fault in faults[:_SHOWN])
    return shown + (f" | and {len(faults) - _SHOWN:,} more files" if len(faults) > _SHOWN else "")


def _month(name: str) -> str:
    found = _MONTH.search(name)
    assert found is not None
    return found[1]


def _is_recorded(name: str) -> bool:
    """Whether a name is that of a partition; the empty files of 1970, and published marts, can be made again."""
    found = _MONTH.search(name)
    return found is not None and name.count("/") == 2 and not found[1].startswith("1970-")

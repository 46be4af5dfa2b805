"""A night's rejected records, complete, with file, line and reason; each once, even if its file is read again.

A file that is read again, has grown or has another name must not add its bad records a second time. And a record that
was bad because only its beginning had been written is taken out of quarantine once it is complete.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cached_property
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.ingest.read import LogFile
from flows.lake import SCHEMAS, Lake, Staging, conform

# A night, a source and the name that a file had then.
_Reading = tuple[date, str, str]


class KnownRejects:
    """The rejected records of earlier readings of a run's files: those of other nights, or under another name."""

    def __init__(self, store: Lake, files: Iterable[LogFile]) -> None:
        """`files` are those that the run reads."""
        self._store = store
        self._names: dict[_Reading, set[str]] = defaultdict(set)
        self._files: dict[_Reading, list[LogFile]] = defaultdict(list)
        for file in files:
            for earlier in file.continues:
                self._names[earlier.night, file.source, earlier.name].add(file.name)
                self._files[earlier.night, file.source, earlier.name].append(file)
        self._seen: set[bytes] = set()
        self._owners: dict[bytes, _Reading] = {}

    def has(self, night: date, source: str, names: list[str], rows: pa.Table) -> np.ndarray:
        """Which rows (of quarantine) are known from another reading; the others are this night's from now on."""
        known = self._of_earlier_readings
        found = np.zeros(len(rows), bool)
        prints = _fingerprints(source, names, rows)
        for place, (name, key) in enumerate(zip(names, prints, strict=True)):
            self._seen.add(key)
            owner = self._owners.setdefault(key, (night, source, name))
            found[place] = key in known or owner != (night, source, name)
        return found

    @cached_property
    def resolved(self) -> dict[date, dict[tuple[str, str], set[bytes]]]:
        """The rejected records of earlier readings that are none in this one, by night, and by source and name.

        They are known by the fingerprints that they have under their own name. Complete once all files are read.
        """
        found: dict[date, dict[tuple[str, str], set[bytes]]] = defaultdict(dict)
        for reading, keys in self._keys.items():
            night, source, name = reading
            if any(file.problem for file in self._files[reading]):
                continue  # it may stand in the part that could not be read
            gone = {own for own, others in keys.items() if not others & self._seen}
            if gone:
                found[night][source, name] = gone
        return found

    @cached_property
    def _of_earlier_readings(self) -> set[bytes]:
        return set().union(*(others for keys in self._keys.values() for others in keys.values()))

    @cached_property
    def _keys(self) -> dict[_Reading, dict[bytes, set[bytes]]]:
        """Of each earlier reading, the fingerprint of each record, with those under the names that the file has now."""
        found: dict[_Reading, dict[bytes, set[bytes]]] = defaultdict(dict)
        for night in sorted({night for night, _, _ in self._names}):
            for part in self._store.batches("quarantine", night):
                for source, name in {(source, name) for at, source, name in self._names if at == night}:
                    rows = _of_file(part, source, name)
                    own = _fingerprints(source, [name] * len(rows), rows)
                    for new in self._names[night, source, name]:
                        for key, other in zip(own, _fingerprints(source, [new] * len(rows), rows), strict=True):
                            found[night, source, name].setdefault(key, set()).add(other)
        return found


class Quarantine:
    """The night's rejected records: this run's, then those of earlier runs, except of the files that this run reads."""

    def __init__(self, store: Lake, staged: Staging, day: date, known: KnownRejects) -> None:
        self._store, self._day, self._known = store, day, known
        self._writer = pq.ParquetWriter(staged.place("quarantine", day), SCHEMAS["quarantine"], compression="zstd")

    def add(self, refused: pa.Table, files: Sequence[LogFile]) -> pa.Table:
        """Add rejected records (REFUSED; `file` is an index of `files`). Returns those that are known already."""
        chosen = [files[place] for place in refused.column("file").to_pylist()]
        named = refused.set_column(0, "file", pa.array([file.name for file in chosen], pa.string()))
        rows = conform(
            named.append_column("source", pa.array([file.source for file in chosen], pa.string())), "quarantine"
        )
        is_known = np.zeros(len(rows), bool)
        for source in sorted({file.source for file in chosen}):
            places = np.flatnonzero([file.source == source for file in chosen])
            names = [chosen[place].name for place in places]
            is_known[places] = self._known.has(self._day, source, names, rows.take(pa.array(places)))
        self._write(rows.filter(pa.array(~is_known)))
        return refused.filter(pa.array(is_known))

    def close(self, files: Sequence[LogFile]) -> None:
        """Keep what earlier runs of the night rejected, except of these files, which were read again."""
        read = {(file.source, file.name) for file in files if was_read(file)}
        moved = {(file.source, file.name): file.moved_to for file in files if file.moved_to}
        gone = self._known.resolved.get(self._day, {})
        for part in self._store.batches("quarantine", self._day):
            rows = _without(part, gone)
            names = list(zip(rows.column("source").to_pylist(), rows.column("file").to_pylist(), strict=True))
            rows = rows.set_column(
                1, SCHEMAS["quarantine"].field("file"), pa.array([moved.get(one, one[1]) for one in names])
            )
            self._write(rows.filter(pa.array([one in moved or one not in read for one in names], pa.bool_())))
        self._writer.close()

    def _write(self, rows: pa.Table) -> None:
        if len(rows):
            self._writer.write_table(rows)


def was_read(file: LogFile) -> bool:
    """Whether a run has read (a part of) a file, so that its result replaces that of earlier readings."""
    return not file.problem or file.bytes > 0


def stage_resolved(
    store: Lake, staged: Staging, known: KnownRejects, own: frozenset[date]
) -> dict[date, Counter[tuple[str, str]]]:
    """Stage the quarantine of nights other than the run's `own` without the records that are complete now.

    Returns the number of such records of all nights, by source and name.
    """
    for night, prints in known.resolved.items():
        if night not in own:
            with pq.ParquetWriter(staged.place("quarantine", night), SCHEMAS["quarantine"], compression="zstd") as file:
                for part in store.batches("quarantine", night):
                    rows = _without(part, prints)
                    if len(rows):
                        file.write_table(rows)
    return {night: Counter({of: len(gone) for of, gone in prints.items()}) for night, prints in known.resolved.items()}


def _without(rows: pa.Table, gone: dict[tuple[str, str], set[bytes]]) -> pa.Table:
    if not gone:
        return rows
    kept = np.ones(len(rows), bool)
    named = zip(rows.column("source").to_pylist(), rows.column("file").to_pylist(), strict=True)
    for place, of in enumerate(named):
        if of in gone:
            kept[place] = _fingerprints(of[0], [of[1]], rows.slice(place, 1))[0] not in gone[of]
    return rows.filter(pa.array(kept))


def _of_file(rows: pa.Table, source: str, name: str) -> pa.Table:
    return rows.filter(pc.and_(pc.equal(rows.column("source"), source), pc.equal(rows.column("file"), name)))


def _fingerprints(source: str, names: list[str], rows: pa.Table) -> list[bytes]:
    """One for each record of a source: of the file's name, the line and what stands there."""
    found = []
    lines, raws = rows.column("line").to_pylist(), rows.column("raw").to_pylist()
    for name, line, raw in zip(names, lines, raws, strict=True):
        digest = blake2b(f"{source}\0{name}\0{line}\0".encode(), digest_size=16)
        digest.update(raw.encode())
        found.append(digest.digest())
    return found

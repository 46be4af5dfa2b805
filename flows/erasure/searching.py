"""Looks for a person everywhere: in the rows of every table, and in the bytes of every file."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from flows.config import Config
from flows.erasure import mart_rows, warehouse_rows
from flows.erasure.erased_tables import HOW
from flows.erasure.files import has_person
from flows.erasure.lake_rows import part
from flows.erasure.person import Person, note_of
from flows.erasure.scrubbing import is_list_of_texts, places_in
from flows.lake import Lake, Tombstones

_SHOWN = 20
_NOT_TEXT = (".parquet", ".duckdb", ".wal", ".msgpack", ".pickle", ".damaged")


@dataclass
class Scanned:
    """What was looked at, by kind, and where something was found."""

    counts: Counter[str] = field(default_factory=Counter)
    bytes: int = 0
    left: list[str] = field(default_factory=list)

    def lines(self, person: Person) -> Iterator[str]:
        """What was searched, for what, and what was found."""
        ids = len(person.calls | person.users | person.shared | person.proposals)
        yield (
            f"searched {self.counts['rows']:,} rows of {self.counts['tables']:,} tables, and the bytes of"
            f" {self.counts['files']:,} files ({self.bytes / 1e6:,.1f} MB), for {ids:,} ids and"
            f" {len(person.asked | person.answered):,} pieces of texts"
        )
        if not self.left:
            yield "nothing of them was found"
            return
        yield f"{len(self.left):,} places still have something of them:"
        yield from (f"  {place}" for place in self.left[:_SHOWN])
        if len(self.left) > _SHOWN:
            yield f"  and {len(self.left) - _SHOWN:,} more"


def scan(config: Config, person: Person, stones: Tombstones) -> Scanned:
    """Search every table of the lake and of the warehouse, and every file of lake, state, warehouse and reports."""
    lake, found = config.open_lake(), Scanned()
    for table in HOW:
        if table != "tombstones":
            _table(lake, table, person, stones, found)
    if config.warehouse.exists():
        before = ""
        for name, column in warehouse_rows.texts_of(config.warehouse):
            if name.rpartition(".")[0] != before:
                before = name.rpartition(".")[0]
                found.counts["tables"] += 1
            found.counts["rows"] += len(column)
            if places := places_in(column, person):
                found.left.append(f"{config.warehouse}: {name}: {len(places):,} rows")
    for name, rows, n in mart_rows.left_in(config, lake, person, stones):
        found.counts["rows"] += rows
        if n:
            found.left.append(f"{name}: {n:,} rows or texts")
    note = note_of(lake)
    for place in _files(config, lake):
        if place != lake.backend.place(note.name) and place.is_file():
            found.counts["files"] += 1
            found.bytes += place.stat().st_size
            if has_person(place, person, is_text=not place.name.endswith(_NOT_TEXT)):
                found.left.append(f"{place}: its bytes")
    if not isinstance(lake.root, Path):
        _objects(lake, person, found)
    return found


def _table(lake: Lake, table: str, person: Person, stones: Tombstones, found: Scanned) -> None:
    found.counts["tables"] += 1
    for day in lake.days(table):
        for file in lake.names(table, day):
            n = 0
            for rows in lake.batches(table, day, file=file):
                found.counts["rows"] += len(rows)
                parted = part(rows, table, person, stones)
                n += len(parted.gone) + parted.texts
                if HOW[table].found == "nothing":
                    for name, kind in zip(rows.column_names, rows.schema.types, strict=True):
                        if pa.types.is_string(kind) or is_list_of_texts(kind):
                            n += len(places_in(rows[name], person))
            if n:
                found.left.append(f"{lake.partition(table, day, file)}: {n:,} rows or texts")


def _files(config: Config, lake: Lake) -> list[Path]:
    """Every file of this machine that is searched."""
    roots = {config.state, config.reports, *([lake.root] if isinstance(lake.root, Path) else [])}
    files = {place for root in roots if root.exists() for place in root.rglob("*")}
    files |= set(config.warehouse.parent.glob(f"*{config.warehouse.name}*"))
    files |= set(mart_rows.files_of(config))
    return sorted(files)


def _objects(lake: Lake, person: Person, found: Scanned) -> None:
    """The objects of a lake in a store."""
    for pattern in ("*/day=*/*.parquet", "marts/*", "intermediate/*", "_alerts/*", "_inventory/*"):
        for name in lake.backend.names(pattern):
            source = lake.backend.source(name)
            if source is None or isinstance(source, Path):
                continue
            content = source.read()
            found.counts["files"] += 1
            found.bytes += len(content)
            if next(person.needles.hits(content, is_text=not name.endswith(_NOT_TEXT)), None):
                found.left.append(f"{lake.backend.place(name)}: its bytes")

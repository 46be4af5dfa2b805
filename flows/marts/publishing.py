"""Publishes the marts of a build in the lake, as Parquet by day: only days whose rows have changed are written.

All files of a run appear together, by the lake's own transaction. The note of what is published is written after them:
a run that is killed in between leaves days that the next one writes again, with the same content.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from flows.lake import Backend, CorruptError, Lake, Staging
from flows.marts.published_days import (
    LAKE_TABLES,
    WHOLE,
    Part,
    PublishedTable,
    empty_name,
    name_of,
    read_published,
    write_published,
)
from flows.marts.published_parts import sizes_there
from flows.words import counted

_CALLS = "marts.fct_usage_daily"
"""The mart whose days are those that the build knows; marts that are made of other tables of the lake know more."""


@dataclass(frozen=True)
class BuiltTable:
    """A table as it was built: its columns with their types in DuckDB's SQL, and of each day the rows and their hash.

    The key of a day is its ISO format; a table without days has one key, `WHOLE`.
    """

    columns: Mapping[str, str]
    prints: Mapping[str, tuple[int, str]]


class Built(Protocol):
    """The tables that a build has left, of whichever engine."""

    def tables(self) -> dict[str, BuiltTable]:
        """The tables to publish, by `schema.table`."""

    def empty(self, table: str) -> pa.Table:
        """No rows of a table, with its columns."""

    def rows(self, table: str, days: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
        """The rows of these days of a table, each day's in an order that depends on nothing but them."""


@dataclass(frozen=True)
class Published:
    """What a publication has changed: days written and days emptied or removed, in how many tables, and the bytes."""

    tables: int = 0
    written: int = 0
    removed: int = 0
    bytes: int = 0

    def summary(self) -> str:
        """In words, for a line."""
        gone = f", {counted(self.removed, 'day')} taken away" if self.removed else ""
        of = f" of {counted(self.tables, 'table')}" if self.tables else ""
        return f"{counted(self.written, 'day')}{of} published ({self.bytes / 1e6:,.1f} MB){gone}"


@dataclass(frozen=True)
class Keeping:
    """Which published days a publication must take away or leave, where the build has no rows of them.

    Of the days from `first` to `last`, which were built, and of days whose calls the build has counted, a table has
    what the build has. Of any other day the build knows nothing, as where the warehouse was lost and built anew from
    the lake: what was published stays, unless it is older than what is kept: `oldest` gives the first day that is kept
    of a table, or None.
    """

    first: date = date.max
    last: date = date.min
    oldest: Callable[[str], date | None] = lambda _: None

    def leaves(self, table: str, day: str, known: set[str]) -> bool:
        """Whether a published day without rows stays as it is."""
        if day == WHOLE or day in known or self.first <= date.fromisoformat(day) <= self.last:
            return False
        oldest = self.oldest(table)
        return oldest is None or date.fromisoformat(day) >= oldest


def publish(lake: Lake, built: Built, keeping: Keeping) -> Published:
    """Bring what is published in line with what was built. The caller is a run.

    Run again, it changes nothing. Files that are gone, or have another size than when they were published, are written
    again. Raises RunError where the build or the lake cannot be read or written.
    """
    tables, noted = built.tables(), _known(lake.backend)
    before = {name: table for name, table in noted.items() if name not in LAKE_TABLES}
    sizes = sizes_there(lake.backend, {*tables, *before})
    known = set(tables[_CALLS].prints) if _CALLS in tables else {day for one in tables.values() for day in one.prints}
    plans = {
        name: _plan(name, table, before.get(name), sizes=sizes, keeping=keeping, known=known)
        for name, table in tables.items()
    }
    stray = set(sizes) - {name for plan in plans.values() for name in plan.due}
    if not stray and set(before) == set(tables) and not any(plan.days or plan.is_changed for plan in plans.values()):
        return Published()
    after = {name: plan.kept for name, plan in plans.items()}
    result = Published(tables=sum(bool(plan.days) for plan in plans.values()), removed=len(stray))
    with lake.staging() as staged:
        for name, plan in plans.items():
            if plan.is_changed and WHOLE not in tables[name].prints:
                _write(staged, empty_name(name), built.empty(name))
            for day, rows in built.rows(name, plan.days) if plan.days else ():
                size = _write(staged, name_of(name, day), rows)
                after[name] = _with(after[name], day, Part(len(rows), size, _print(tables[name], day)))
                result = replace(result, written=result.written + 1, bytes=result.bytes + size)
        for name in stray:
            staged.remove_named(name)
    write_published(lake.backend, {**{name: noted[name] for name in LAKE_TABLES & set(noted)}, **after})
    return result


@dataclass(frozen=True)
class _Plan:
    """Of one table: the days to write, the parts that stay, and the files that are there afterwards."""

    days: list[str]
    kept: PublishedTable
    is_changed: bool
    """Whether its columns are others, or its empty file is not there."""
    due: frozenset[str]


def _plan(
    name: str,
    table: BuiltTable,
    before: PublishedTable | None,
    *,
    sizes: Mapping[str, int],
    keeping: Keeping,
    known: set[str],
) -> _Plan:
    is_whole = WHOLE in table.prints
    has_new_columns = before is None or dict(before.columns) != dict(table.columns)
    parts = before.parts if before else {}
    fine = {day: part for day, part in parts.items() if sizes.get(name_of(name, day)) == part.bytes}
    left = {
        day: replace(part, bytes=sizes[name_of(name, day)]) for day, part in parts.items()
        if name_of(name, day) in sizes and day not in table.prints and keeping.leaves(name, day, known)
    }  # fmt: skip
    same = {
        day: part for day, part in fine.items()
        if not has_new_columns and day in table.prints and part.print == _print(table, day)
    }  # fmt: skip
    is_uneven = bool(left) and (has_new_columns or bool(before and before.is_uneven))
    due = {name_of(name, day) for day in (*table.prints, *left)} | (set() if is_whole else {empty_name(name)})
    return _Plan(
        sorted(set(table.prints) - set(same)),
        PublishedTable(table.columns, {**left, **same}, is_uneven),
        has_new_columns or (not is_whole and empty_name(name) not in sizes),
        frozenset(due),
    )


def _print(table: BuiltTable, day: str) -> str:
    rows, hashed = table.prints[day]
    return f"{rows}:{hashed}"


def _known(backend: Backend) -> dict[str, PublishedTable]:
    try:
        return read_published(backend)
    except CorruptError:  # it is made again
        return {}


def _write(staged: Staging, name: str, rows: pa.Table) -> int:
    place = staged.place_named(name)
    pq.write_table(rows, place, compression="zstd")
    return place.stat().st_size


def _with(table: PublishedTable, day: str, part: Part) -> PublishedTable:
    return replace(table, parts={**table.parts, day: part})

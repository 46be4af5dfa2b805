"""Tables with a row for each text or call: a build writes them to the lake, by day, and not to the warehouse.

They lie as published marts do, and stand in the same note. Of a part the note's print is a hash of the columns that it
was written with: where they differ, DuckDB reads the columns by name. A part is noted before its file appears, so that
one that a killed run has left is found by who looks for rows to remove.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from flows.errors import RunError
from flows.lake import Backend, Lake
from flows.marts.published_days import (
    LAKE_TABLES,
    Part,
    PublishedTable,
    day_in,
    days_of,
    empty_name,
    folder_of,
    name_of,
    quoted,
    read_published,
    write_published,
)


def replace_days(
    lake: Lake, table: str, columns: Mapping[str, str], written: Path, asked: tuple[date, date] | None = None
) -> None:
    """Let the days of `schema.table` that are below a folder, as `day=YYYY-MM-DD/*.parquet`, replace those in the lake.

    All days appear together. A day from the first to the last of `asked` that has no file has no rows any more.
    `columns` have their types in DuckDB's SQL. The files are moved. The caller is a run. Raises RunError
    where the lake cannot be written.
    """
    known = read_published(lake.backend)
    before = known.get(table, PublishedTable({}))
    files = _by_day(written)
    print_now = hashlib.sha256(json.dumps(list(columns.items())).encode()).hexdigest()[:16]
    there = {day_in(name): size for name, size in lake.backend.sizes(f"{folder_of(table)}/day=*/data.parquet").items()}
    left = {
        day: before.parts.get(day, Part(0, size, ""))
        for day, size in there.items()
        if day not in files and not (asked and asked[0] <= date.fromisoformat(day) <= asked[1])
    }
    gone = set(there) - set(left) - set(files)
    new = {day: Part(pq.read_metadata(file).num_rows, file.stat().st_size, print_now) for day, file in files.items()}
    is_uneven = any(part.print != print_now for part in left.values())
    after = PublishedTable(dict(columns), {**left, **new}, is_uneven)
    has_new_columns = dict(before.columns) != dict(columns) or not lake.backend.exists(empty_name(table))
    if set(before.parts) != {*left, *new} or dict(before.columns) != dict(columns):
        # What can be read before and after the files appear.
        both = {name: kind for name, kind in columns.items() if name in (before.columns or columns)}
        unsure = {day: Part(0, 0, "") for day in (*gone, *new)}
        write_published(lake.backend, {**known, table: PublishedTable(both, {**left, **unsure}, is_uneven=True)})
    with lake.staging() as staged:
        for day, file in files.items():
            shutil.move(file, staged.place_named(name_of(table, day)))
        for day in gone:
            staged.remove_named(name_of(table, day))
        if has_new_columns:
            _write_empty(staged.place_named(empty_name(table)), columns)
    write_published(lake.backend, {**known, table: after})


def expire_days(lake: Lake, oldest: Callable[[str], date | None], *, is_dry: bool) -> int:
    """Remove the days before the `oldest` that is kept of each table; the rows that went. The caller is a run."""
    known, rows, gone = read_published(lake.backend), 0, list[str]()
    for table in LAKE_TABLES & set(known):
        first = oldest(table)
        old = {str(day) for day in days_of(known[table]) if first is not None and day < first}
        rows += sum(known[table].parts[day].rows for day in old)
        gone += [name_of(table, day) for day in old]
        kept = {day: part for day, part in known[table].parts.items() if day not in old}
        known[table] = replace(known[table], parts=kept)
    if gone and not is_dry:
        with lake.staging() as staged:
            for name in gone:
                staged.remove_named(name)
        write_published(lake.backend, known)
    return rows


def lake_tables(backend: Backend) -> dict[str, PublishedTable]:
    """Those of the tables that are in the lake, by `schema.table`."""
    return {name: table for name, table in read_published(backend).items() if name in LAKE_TABLES}


def _by_day(written: Path) -> dict[str, Path]:
    """The one file of each day. DuckDB writes one, as long as it writes each day at once."""
    files: dict[str, Path] = {}
    for file in sorted(written.glob("day=*/*.parquet")):
        day = file.parent.name.removeprefix("day=")
        if day in files:
            raise RunError(f"{file.parent}: two files of one day; run the same command again for fewer days")
        files[day] = file
    return files


def _write_empty(place: Path, columns: Mapping[str, str]) -> None:
    none = ", ".join(f"cast(null as {kind}) as {quoted(name)}" for name, kind in columns.items())
    to = str(place).replace("'", "''")
    with duckdb.connect() as connection:
        connection.execute(f"copy (select {none} limit 0) to '{to}' (format parquet)")

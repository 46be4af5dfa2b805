"""The files of what is published: read by day, and replaced by who takes rows out of them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import RunError
from flows.lake import Backend
from flows.marts.published_days import (
    LAKE_TABLES,
    Part,
    PublishedTable,
    empty_name,
    is_name,
    name_of,
    quoted,
    read_published,
    table_in,
    write_published,
)


def select_published(backend: Backend, name: str, table: PublishedTable) -> str:
    """A SELECT of DuckDB of all rows of a published `schema.table`. It lists the files whenever it runs."""
    columns = ", ".join(quoted(column) for column in table.columns)
    if table.is_whole:
        return f"select {columns} from read_parquet({_literal(backend, name_of(name, ''))}, hive_partitioning = false)"
    pattern = empty_name(name).replace("day=1970-01-01/empty", "day=*/*")
    return (
        f"select {columns} from read_parquet({_literal(backend, pattern)}, hive_partitioning = true,"
        f" hive_types = {{'day': date}}, union_by_name = {str(table.is_uneven).lower()})"
    )


def _literal(backend: Backend, name: str) -> str:
    """The place of files as a literal; what a glob takes as special in the lake's own path is escaped."""
    place = backend.place("x")
    root = str(place)[:-1]
    if isinstance(place, Path):
        root = re.sub(r"([*?[])", r"[\1]", root)
    return "'" + (root + name).replace("'", "''") + "'"


def read_part(backend: Backend, table: str, day: str) -> pa.Table:
    """The rows of a day of `schema.table`. Raises RunError where its file is not there."""
    return read_file(backend, name_of(table, day))


def read_file(backend: Backend, name: str) -> pa.Table:
    """The rows of one file, by its name in the lake. Raises RunError where it is not there or cannot be read."""
    source = backend.source(name)
    if source is None:
        raise RunError(f"{backend.place(name)}: the file is gone; `genchi transform` publishes the marts anew")
    try:
        return pq.ParquetFile(source).read()
    except (pa.ArrowInvalid, OSError):
        raise RunError(
            f"{backend.place(name)}: cannot be read; delete it: `genchi transform` publishes the marts anew"
        ) from None


def sizes_there(backend: Backend, tables: Iterable[str]) -> dict[str, int]:
    """The bytes of the files that publications of these tables have written, by name.

    Those of tables that a build writes to the lake itself only where they are named.
    """
    found: dict[str, int] = {}
    others = LAKE_TABLES - set(tables)
    for schema in sorted({"marts", *(table.split(".")[0] for table in tables)}):
        found |= backend.sizes(f"{schema}/**/*.parquet")  # one listing of a store
    return {name: size for name, size in found.items() if is_name(name) and table_in(name) not in others}


def parts_there(backend: Backend) -> Iterator[tuple[str, str]]:
    """The table and the day of each published part whose file is there."""
    published = read_published(backend)
    there = sizes_there(backend, published)
    for table, known in sorted(published.items()):
        yield from ((table, day) for day in sorted(known.parts) if name_of(table, day) in there)


def replace_part(backend: Backend, table: str, day: str, rows: pa.Table) -> None:
    """Let a published part have these rows. The next publication compares it with the warehouse anew."""
    with backend.replacing(name_of(table, day)) as file:
        pq.write_table(rows, file, compression="zstd")
        size = file.tell()
    published = read_published(backend)
    parts = {**published[table].parts, day: Part(len(rows), size, "")}
    write_published(backend, {**published, table: replace(published[table], parts=parts)})

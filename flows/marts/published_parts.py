"""The files of what is published: read by day, and replaced by who takes rows out of them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import RunError
from flows.lake import Backend
from flows.marts.published_days import Part, is_name, name_of, read_published, write_published


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
    """The bytes of the files that publications of these tables have written, by name."""
    found: dict[str, int] = {}
    for schema in sorted({"marts", *(table.split(".")[0] for table in tables)}):
        found |= backend.sizes(f"{schema}/**/*.parquet")  # one listing of a store
    return {name: size for name, size in found.items() if is_name(name)}


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

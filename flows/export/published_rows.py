"""What is published in the lake: brought in line with the warehouse, and read by day."""

from collections.abc import Sequence
from datetime import date

import pyarrow as pa

from flows.config import Config
from flows.lake import Backend
from flows.marts import (
    WHOLE,
    Keeping,
    Published,
    PublishedTable,
    empty_name,
    publish,
    read_file,
    read_part,
    warehouse_tables,
)
from flows.retention import first_kept

_PREFIX = "marts."


def publish_marts(config: Config, first: date, last: date) -> Published:
    """Publish the marts of the warehouse, built for the days from `first` to `last`. The caller is a run.

    Days that `retention` takes out of the warehouse go from what is published, too. Without a warehouse nothing is
    changed, nor where it is on another engine: its build has published them. Raises RunError where
    warehouse or lake cannot be read or written.
    """
    if config.engine.warehouse != "duckdb" or not config.warehouse.exists():
        return Published()
    with warehouse_tables(config.warehouse) as built:
        return publish(config.open_lake(), built, Keeping(first, last, first_kept(config, last).of))


def marts_of(tables: dict[str, PublishedTable]) -> dict[str, PublishedTable]:
    """The marts among the published tables, by their names without the schema."""
    return {name.removeprefix(_PREFIX): table for name, table in tables.items() if name.startswith(_PREFIX)}


def read_days(backend: Backend, mart: str, days: Sequence[str]) -> pa.Table:
    """The rows of these days of a mart, in its columns as they are now. Raises RunError where a file is not there."""
    if list(days) == [WHOLE]:
        return read_part(backend, _PREFIX + mart, WHOLE)
    schema = read_file(backend, empty_name(_PREFIX + mart)).schema
    parts = [_conformed(read_part(backend, _PREFIX + mart, day), schema) for day in days]
    return pa.concat_tables(parts or [schema.empty_table()])


def _conformed(part: pa.Table, schema: pa.Schema) -> pa.Table:
    """A day that was published with other columns: null in those that it has not."""
    if part.schema.equals(schema):
        return part
    there = set(part.column_names)
    columns = [
        part[field.name].cast(field.type) if field.name in there else pa.nulls(len(part), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)

"""Single rows of a large table, found by the value of a column without reading all of the texts."""

from collections.abc import Collection, Sequence
from datetime import date

import duckdb
import pyarrow as pa

from flows.errors import RunError, in_one_line
from flows.lake.lake import SCHEMAS, Lake, conform

_FOUND = """
select columns(lambda name: list_contains($columns, name))
from read_parquet($files, union_by_name = true, hive_partitioning = false)
where {key} in (select unnest(cast($values as varchar[])))
"""


def rows_with(
    lake: Lake, table: str, day: date, *, key: str, values: Collection[str], columns: Sequence[str] | None = None
) -> pa.Table:
    """The rows of one day of a table whose column `key` has one of `values`, in no particular order.

    `columns` are the columns to read; None means all. A column that an older file lacks is null. Raises RunError where
    a file cannot be read.
    """
    wanted = list(SCHEMAS[table].names if columns is None else columns)
    files = [str(place) for place in lake.files(table, day)]
    if not files or not values:
        return pa.schema([SCHEMAS[table].field(name) for name in wanted]).empty_table()
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        lake.open_to(connection)
        given = {"columns": wanted, "files": files, "values": sorted(values)}
        try:
            found = connection.sql(_FOUND.format(key=f'"{key}"'), params=given).to_arrow_table()
        except duckdb.Error as error:
            raise RunError(f"{table} of {day}: {in_one_line(error)}") from None
    return conform(found, table).select(wanted)

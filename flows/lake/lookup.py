"""Single rows of a large table, found without keeping all of its texts in memory."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from flows.errors import RunError, in_one_line
from flows.lake.lake import SCHEMAS, Lake, conform

_FOUND = """
select columns(lambda name: list_contains($columns, name))
from read_parquet($files, union_by_name = true, hive_partitioning = false)
where {key} in (select unnest(cast($values as varchar[])))
"""
_FIRST_REJECTS = """
with rejects as (
    select reason, file, line, left(raw, $longest) as raw
    from read_parquet($files, union_by_name = true, hive_partitioning = false)
)
select
    coalesce(reason, '') as reason,
    count(*) as n,
    unnest(arg_min({'file': file, 'line': line, 'raw': raw}, {'file': file, 'line': line}))
from rejects
group by coalesce(reason, '')
order by n desc, reason
"""


def rows_with(
    lake: Lake, table: str, day: date, *, key: str, values: Collection[str], columns: Sequence[str] | None = None
) -> pa.Table:
    """The rows of one day of a table whose column `key` has one of `values`, in no particular order.

    `columns` are the columns to read; None means all. A column that an older file lacks is null. Raises RunError where
    a file cannot be read.
    """
    wanted = list(SCHEMAS[table].names if columns is None else columns)
    given = {"columns": wanted, "values": sorted(values)}
    found = _asked(lake, table, day, _FOUND.format(key=f'"{key}"'), given) if values else None
    if found is None:
        return pa.schema([SCHEMAS[table].field(name) for name in wanted]).empty_table()
    return conform(found, table).select(wanted)


def first_rejects(lake: Lake, day: date, longest: int) -> list[dict[str, Any]]:
    """Each reason for quarantine on a day: its number of records, and the first with its text, cut to `longest`.

    The keys are reason, n, file, line and raw; the most frequent reason comes first. Raises RunError where a file
    cannot be read.
    """
    found = _asked(lake, "quarantine", day, _FIRST_REJECTS, {"longest": longest})
    return [] if found is None else found.to_pylist()


def _asked(lake: Lake, table: str, day: date, sql: str, given: dict[str, Any]) -> pa.Table | None:
    """What DuckDB says of the files of a table on a day; None where there is none."""
    files = [str(place) for place in lake.files(table, day)]
    if not files:
        return None
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        lake.open_to(connection)
        try:
            return connection.sql(sql, params=given | {"files": files}).to_arrow_table()
        except duckdb.Error as error:
            raise RunError(f"{table} of {day}: {in_one_line(error)}") from None

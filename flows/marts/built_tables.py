"""The tables of a warehouse file, to publish them: all marts, and what else is read after a build."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from flows.marts.published_days import WHOLE, quoted
from flows.marts.publishing import BuiltTable
from flows.warehouse import opened_to_read

BESIDE = ("intermediate.int_text_words",)
"""Tables that are no marts and are read after a build: proposals of examples ask for the words of texts."""
_COLUMNS = f"""
    select schema_name || '.' || table_name as name, column_name, data_type
    from duckdb_columns()
    where
        database_name = current_database()
        and (schema_name = 'marts' or schema_name || '.' || table_name in {(*BESIDE, "")})
        and regexp_full_match(table_name, '[A-Za-z_][A-Za-z0-9_]*')
    order by name, column_index
"""
_DAYS_AT_ONCE = 31
# What Parquet, Delta and Iceberg all know. Of whole numbers without a sign, the next larger kind.
_PLAIN = {"BOOLEAN", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "VARCHAR"}
_LISTS = {f"{kind}[]" for kind in _PLAIN}
_AS = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "UTINYINT", "USMALLINT"), "INTEGER"),
    "UINTEGER": "BIGINT",
    **dict.fromkeys(("UBIGINT", "HUGEINT", "UHUGEINT"), "DECIMAL(38,0)"),
    **dict.fromkeys(("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "TIMESTAMP"),
}


@contextmanager
def warehouse_tables(warehouse: Path) -> Iterator["WarehouseTables"]:
    """The tables of a warehouse file. Raises RunError where it cannot be read."""
    with opened_to_read(warehouse) as connection:
        yield WarehouseTables(connection)


class WarehouseTables:
    """The tables of one warehouse; see `publishing.Built`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._columns = _columns(connection)

    def tables(self) -> dict[str, BuiltTable]:
        """All marts, and those of BESIDE that are there."""
        return {
            name: BuiltTable(columns, _prints(self._connection, name, columns))
            for name, columns in self._columns.items()
        }

    def empty(self, table: str) -> pa.Table:
        """No rows of a table, with its columns."""
        return self._read(table, "limit 0")

    def rows(self, table: str, days: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
        """The rows of these days of a table, each in the order of all its columns."""
        if list(days) == [WHOLE]:
            yield WHOLE, self._read(table, "order by all")
            return
        places = ", ".join(str(place + 1) for place in range(len(self._columns[table])))
        for place in range(0, len(days), _DAYS_AT_ONCE):
            some = days[place : place + _DAYS_AT_ONCE]
            rows = self._read(table, f"where day in ({', '.join(map(_date, some))}) order by day, {places}")
            ends = pc.value_counts(rows["day"]).to_pylist()  # in the order in which they are met
            start = 0
            for end in ends:
                yield end["values"].isoformat(), rows.slice(start, end["counts"])
                start += end["counts"]

    def _read(self, table: str, rest: str) -> pa.Table:
        columns = ", ".join(
            f"cast({quoted(name)} as {kind}) as {quoted(name)}" for name, kind in self._columns[table].items()
        )
        return self._connection.sql(f"select {columns} from {table} {rest}").to_arrow_table()


def _date(day: str) -> str:
    return f"date '{date.fromisoformat(day)}'"


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(_COLUMNS).fetchall():
        found.setdefault(table, {})[column] = _storable(kind)
    return found


def _storable(kind: str) -> str:
    """The type that a column is published with; what other engines do not know is a text."""
    if kind in _PLAIN | _LISTS or kind.startswith("DECIMAL("):
        return kind
    return _AS.get(kind, "VARCHAR")


def _prints(connection: duckdb.DuckDBPyConnection, table: str, columns: dict[str, str]) -> dict[str, tuple[int, str]]:
    """Of each day the rows and a hash of them, whatever their order; of a table without days, or with rows that have
    none, those of all."""
    day = "day" if columns.get("day") == "DATE" else "null"
    sql = f"select cast({day} as varchar), count(*), sum(cast(hash(t) as hugeint)) from {table} as t group by 1"
    found = {row[0]: (row[1], f"{row[2]:x}") for row in connection.execute(sql).fetchall()}
    if None in found or columns.get("day") != "DATE":
        return {WHOLE: (sum(n for n, _ in found.values()), ".".join(hashed for _, hashed in sorted(found.values())))}
    return found

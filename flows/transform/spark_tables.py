"""The tables of a warehouse on Spark, fetched as Arrow to be published in the lake; see `flows.marts.Built`."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from flows.errors import RunError, in_one_line
from flows.marts import BESIDE, WHOLE, BuiltTable

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

_DAYS_AT_ONCE = 31
_TYPES = {
    "boolean": "BOOLEAN",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "string": "VARCHAR",
    "array<string>": "VARCHAR[]",
}


class SparkTables:
    """The marts of a session's warehouse, and what else is read after a build."""

    def __init__(self, session: "SparkSession") -> None:
        self._session = session
        beside = [table for table in BESIDE if session.catalog.tableExists(table)]
        marts = [f"marts.{row['tableName']}" for row in session.sql("show tables in marts").collect()]
        self._columns = {table: self._columns_of(table) for table in (*sorted(marts), *beside)}

    def _columns_of(self, table: str) -> dict[str, str]:
        """The columns of a table, that of its partitions first, as elsewhere."""
        found = {field.name: field.dataType.simpleString() for field in self._session.table(table).schema.fields}
        return {name: found[name] for name in sorted(found, key=lambda name: name != "day")}

    def tables(self) -> dict[str, BuiltTable]:
        """All of them."""
        return {
            table: BuiltTable(
                {name: _TYPES.get(kind, kind.upper()) for name, kind in columns.items()}, self._prints(table, columns)
            )
            for table, columns in self._columns.items()
        }

    def empty(self, table: str) -> pa.Table:
        """No rows of a table, with its columns."""
        return self._read(table, "limit 0")

    def rows(self, table: str, days: Sequence[str]) -> Iterator[tuple[str, pa.Table]]:
        """The rows of these days of a table, each in the order of all its columns."""
        columns = ", ".join(f"`{name}`" for name in self._columns[table])
        if list(days) == [WHOLE]:
            yield WHOLE, self._read(table, f"order by {columns}")
            return
        for place in range(0, len(days), _DAYS_AT_ONCE):
            some = ", ".join(f"date '{date.fromisoformat(day)}'" for day in days[place : place + _DAYS_AT_ONCE])
            rows = self._read(table, f"where day in ({some}) order by {columns}")
            start = 0
            for end in pc.value_counts(rows["day"]).to_pylist():  # in the order in which they are met
                yield end["values"].isoformat(), rows.slice(start, end["counts"])
                start += end["counts"]

    def _read(self, table: str, rest: str) -> pa.Table:
        columns = ", ".join(f"`{name}`" for name in self._columns[table])
        try:
            return self._session.sql(f"select {columns} from {table} {rest}").toArrow()
        except Exception as error:  # of the server or on the way from it: each has classes of its own
            raise RunError(f"Spark: {table} cannot be read: {in_one_line(error)[:200]}") from None

    def _prints(self, table: str, columns: dict[str, str]) -> dict[str, tuple[int, str]]:
        """Of each day the rows and a hash of them, whatever their order; of a table without days those of all."""
        is_daily = columns.get("day") == "date"
        hashed = ", ".join(f"`{name}`" for name in columns)
        sql = (
            f"select cast({'day' if is_daily else 'null'} as string) as day, count(*) as n,"
            f" cast(sum(cast(xxhash64({hashed}) as decimal(38, 0))) as string) as hashed from {table} group by 1"
        )
        found = {row["day"]: (int(row["n"]), str(row["hashed"])) for row in self._session.sql(sql).collect()}
        if not is_daily or None in found:
            return {WHOLE: (sum(n for n, _ in found.values()), ".".join(sorted(one for _, one in found.values())))}
        return found

"""dbt's Python models where Spark has the warehouse: they run in this process, on what they read of Spark's tables.

dbt-spark itself runs them on clusters of Databricks only. A model gets relations as dbt-duckdb's, of which it uses
`project`, `filter`, `order`, `distinct`, `fetchall` and `to_arrow_table`, and returns an Arrow table.
"""

import asyncio
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

METHOD = "genchi"


class Relation:
    """A query on Spark's tables, which is run when its rows are asked for."""

    def __init__(self, session: "SparkSession", sql: str) -> None:
        self._session, self._sql = session, sql

    def _then(self, sql: str) -> "Relation":
        return Relation(self._session, sql)

    def project(self, columns: str) -> "Relation":
        """Only these columns, or expressions."""
        return self._then(f"select {columns} from ({self._sql})")

    def filter(self, condition: str) -> "Relation":
        """Only the rows that meet a condition."""
        return self._then(f"select * from ({self._sql}) where {condition}")

    def order(self, columns: str) -> "Relation":
        """The rows in this order."""
        return self._then(f"select * from ({self._sql}) order by {columns}")

    def distinct(self) -> "Relation":
        """Each row once."""
        return self._then(f"select distinct * from ({self._sql})")

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rows as tuples."""
        return [tuple(row.values()) for row in self.to_arrow_table().to_pylist()]

    def to_arrow_table(self) -> pa.Table:
        """The rows as an Arrow table."""
        return self._session.sql(self._sql).toArrow()


class InProcess:
    """dbt's helper that runs one Python model: its `submit` gets what the model was compiled to."""

    def __init__(self, parsed_model: dict[str, Any], credentials: object) -> None:
        self._is_daily = parsed_model["config"].get("incremental_strategy") == "replace_days"

    def submit(self, compiled_code: str) -> None:
        """Run the model, and write its table (macro `py_write_table`)."""
        from pyspark.sql import SparkSession  # noqa: PLC0415 - imported late: not every workspace has it
        from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415 - as above

        session: Any = SparkSession.builder.getOrCreate()
        asyncio.set_event_loop(asyncio.new_event_loop())  # which models close: dbt-duckdb opens one, too

        def write_table(table: pa.Table, name: str) -> None:
            # Of a table without rows PySpark does not read the columns.
            frame = session.createDataFrame(*((table,) if len(table) else ([], from_arrow_schema(table.schema))))
            writer = frame.write.mode("overwrite").format("parquet")
            (writer.partitionBy("day") if self._is_daily else writer).saveAsTable(name)

        names = {"read_table": lambda name: Relation(session, f"select * from {name}"), "write_table": write_table}
        exec(compiled_code.strip(), names)  # noqa: S102 - the project's models, which dbt-duckdb runs in this process, too


def install() -> None:
    """Let dbt-spark run Python models here, in this process."""
    from dbt.adapters.spark.impl import SparkAdapter  # noqa: PLC0415 - imported late: costs seconds

    setattr(SparkAdapter, "default_python_submission_method", METHOD)  # noqa: B010 - a property of the class
    setattr(SparkAdapter, "python_submission_helpers", {METHOD: InProcess})  # noqa: B010 - as above

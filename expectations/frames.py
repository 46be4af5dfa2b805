"""Builds the small tables that are validated: one DuckDB SELECT over a night's files in the lake."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from flows.lake import SCHEMAS, Lake


def select(lake: Lake, files: Mapping[str, list[Path | str]], sql: str, **configured: pa.Table) -> pd.DataFrame:
    """The rows of `sql` over views named as the lake's tables, each made of its `files` (none: no rows).

    `configured` are further tables by name, with the subjects that the configuration requires.
    """
    connection = duckdb.connect()
    try:
        lake.open_to(connection)
        for table, paths in files.items():
            _view(connection, table, paths)
        for name, rows in configured.items():
            connection.register(name, rows)
        found = connection.execute(sql)
        names = [column[0] for column in found.description or ()]
        return frame([dict(zip(names, row, strict=True)) for row in found.fetchall()], names)
    finally:
        connection.close()


def frame(rows: list[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    """Rows as a pandas frame that has `columns` even where there are no rows."""
    return pd.DataFrame(rows, columns=columns)


def of_day(lake: Lake, day: date, *tables: str) -> dict[str, list[Path | str]]:
    """The files of whole day partitions, by table."""
    return {table: lake.files(table, day) for table in tables}


def of_run(lake: Lake, day: date, run_id: str, *tables: str) -> dict[str, list[Path | str]]:
    """The file that a run wrote to each table, if it did."""
    return {table: [lake.partition(table, day, run_id)] if lake.exists(table, day, run_id) else [] for table in tables}


def _view(connection: duckdb.DuckDBPyConnection, table: str, paths: list[Path | str]) -> None:
    if paths:
        connection.read_parquet([str(path) for path in paths], union_by_name=True, hive_partitioning=False).create_view(
            table
        )
    else:
        connection.register(table, SCHEMAS[table].empty_table())

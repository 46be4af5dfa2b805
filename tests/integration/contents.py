"""The content of a lake and of its marts, to compare two runs that must have come to the same."""

from pathlib import Path
from typing import Any

import duckdb

# When something ran, how long it took, and what is drawn anew at each run.
OF_A_RUN = {"read_at", "modified_at", "started_at_of_run", "seconds", "peak_memory_bytes", "bytes_of_run"}
OF_A_RUN_TABLES = {"night_runs", "fct_night_runs"}


def tables_of(lake: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table and mart, in order, without what differs from run to run."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    with duckdb.connect() as connection:
        folders = [path for path in lake.iterdir() if path.is_dir() and not path.name.startswith("_")]
        for folder in sorted(path for path in folders if path.name not in ("marts", "intermediate")):
            source = f"read_parquet('{folder}/day=*/*.parquet', union_by_name = true, filename = false)"
            found[folder.name] = _rows(connection, source)
        for folder in sorted(path for path in lake.glob("marts/*/") if path.name not in OF_A_RUN_TABLES):
            found[f"published {folder.name}"] = _rows(connection, f"read_parquet('{folder}/**/*.parquet')")
    with duckdb.connect(str(lake / "warehouse.duckdb"), read_only=True) as connection:
        names = connection.sql("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
        found |= {name: _rows(connection, f"marts.{name}") for (name,) in sorted(names)}
    return {name: rows for name, rows in found.items() if name not in OF_A_RUN_TABLES}


def _rows(connection: duckdb.DuckDBPyConnection, source: str) -> list[tuple[Any, ...]]:
    columns = [name for name, *_ in connection.sql(f"describe select * from {source}").fetchall()]
    kept = ", ".join(f'"{name}"' for name in columns if name not in OF_A_RUN)
    return connection.sql(f"select {kept} from {source} order by all").fetchall()

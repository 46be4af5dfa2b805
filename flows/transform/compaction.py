"""A warehouse file without its free blocks.

DuckDB marks the blocks of deleted rows as free and writes them again some day: until then the file is as large as it
was, and the rows are in its bytes. So all tables are copied to a new file (`COPY FROM DATABASE`), which then takes the
place of the old one.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from flows.errors import RunError, in_one_line

_SIZES = "select block_size * free_blocks, block_size * total_blocks from pragma_database_size()"
_TABLES = "select schema_name, table_name, estimated_size from duckdb_tables() where database_name = ? order by all"


@contextmanager
def opened(warehouse: Path, *, is_read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, to take rows out of it or to read it. Raises RunError where another process uses it."""
    try:
        with closing(duckdb.connect(str(warehouse), read_only=is_read_only)) as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection
    except duckdb.Error as error:
        raise RunError(
            f"{warehouse}: cannot be used: {in_one_line(error)}; end what uses it, and run the same command again"
        ) from None


def free_share(warehouse: Path) -> float:
    """The share of a warehouse's blocks that are free, from 0 to 1; 0 without a warehouse."""
    if not warehouse.exists():
        return 0.0
    with opened(warehouse, is_read_only=True) as connection:
        free, total = connection.execute(_SIZES).fetchall()[0]
    return float(free / total) if total else 0.0


def compact(warehouse: Path) -> tuple[int, int]:
    """Write the warehouse anew without free blocks; its bytes before and after.

    A run that is killed leaves the old file. The caller is a run. Raises RunError where another process
    uses the warehouse, and where the disk refuses.
    """
    before = _bytes(warehouse)
    beside = warehouse.with_name(f".{warehouse.name}.{os.getpid()}.tmp")  # which the next run deletes
    beside.unlink(missing_ok=True)
    try:
        with closing(duckdb.connect()) as connection:
            # Attached to be written, so that what a killed build left in the log of writes is in the file first.
            connection.execute(f"attach '{_quoted(warehouse)}' as old")
            connection.execute(f"attach '{_quoted(beside)}' as new")
            connection.execute("copy from database old to new")
            if _counts(connection, "old") != _counts(connection, "new"):
                raise RunError(f"{warehouse}: its copy is not the same; it was left as it is")
            connection.execute("checkpoint new")
        beside.chmod(warehouse.stat().st_mode & 0o777)
        _sync(beside)
        beside.replace(warehouse)
        warehouse.with_name(f"{warehouse.name}.wal").unlink(missing_ok=True)
        _sync(warehouse.parent)
    except duckdb.Error as error:
        raise RunError(f"{warehouse}: cannot be written anew: {in_one_line(error)}") from None
    except OSError as error:
        raise RunError(f"{warehouse}: {error.strerror} while writing it anew; it was left as it is") from None
    finally:
        for left in (beside, beside.with_name(f"{beside.name}.wal")):
            left.unlink(missing_ok=True)
    return before, _bytes(warehouse)


def _counts(connection: duckdb.DuckDBPyConnection, database: str) -> list[tuple[str, str, int]]:
    found = connection.execute(_TABLES, [database]).fetchall()
    return [
        (schema, table, connection.execute(f'select count(*) from {database}."{schema}"."{table}"').fetchall()[0][0])
        for schema, table, _ in found
    ]


def _bytes(warehouse: Path) -> int:
    places = (warehouse, warehouse.with_name(f"{warehouse.name}.wal"))
    return sum(place.stat().st_size for place in places if place.exists())


def _quoted(place: Path) -> str:
    return str(place).replace("'", "''")


def _sync(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

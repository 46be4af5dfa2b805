"""The warehouse file, read-only. Only dbt writes it. Who wants the marts reads them through `flows/marts`."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb

from flows.errors import RunError

# Classes of errors that tell of a damaged file, not of a query; of a wrong checksum it is the plain duckdb.Error.
_DAMAGE = (
    duckdb.IOException,
    duckdb.SerializationException,
    duckdb.InternalException,
    duckdb.FatalException,
    duckdb.OutOfRangeException,
)
_FINE = ("Could not set lock", "Permission denied", "version number", "newer version")
_TABLES = "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
_SIZE = "select block_size * total_blocks from pragma_database_size()"


def query(warehouse: Path, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
    """The result rows of `sql`, as dicts by column name.

    The connection is read-only, has no access to files or extensions, and is closed before this returns.
    Raises RunError if the warehouse does not exist, is locked by a writer, or is damaged.
    """
    with opened_to_read(warehouse) as connection:
        return rows_of(connection.execute(sql, list(parameters)))


@contextmanager
def opened_to_read(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to the warehouse, in UTC. Raises RunError as `query` does, of errors in the block too."""
    if not warehouse.exists():
        raise RunError(f"{warehouse}: no warehouse yet; `genchi transform` builds it")
    try:
        connection = _connect(warehouse)
    except duckdb.Error as error:
        raise RunError(f"{warehouse}: cannot be opened: {_first_line(error)}") from None
    try:
        connection.execute("set timezone = 'UTC'")
        yield connection
    except duckdb.Error as error:
        if not _is_damage(error):
            raise
        raise RunError(
            f"{warehouse}: cannot be read: {_first_line(error)}; `genchi transform` builds it anew"
        ) from None
    finally:
        connection.close()


@contextmanager
def held_open(warehouse: Path) -> Iterator[None]:
    """Keep the warehouse open in the block: what is asked meanwhile need not open it, which takes 14 ms each time.

    Where it cannot be opened, nothing is done: who asks is told.
    """
    try:
        connection = _connect(warehouse)
    except duckdb.Error:
        yield
        return
    with closing(connection):
        yield


def rows_of(found: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The rows of a result, as dicts by column name."""
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def damage_of(warehouse: Path, *, is_whole: bool = False) -> str:
    """What is wrong with a warehouse that no build can use any more; an empty text if nothing is, or if there is none.

    One that is locked by another process, that may not be read, or that another version of DuckDB wrote is not damaged.
    Looks at its beginning and its size; at all its rows if it is shorter than it should be, or with `is_whole`.
    """
    if not warehouse.exists():
        return ""
    try:
        with closing(_connect(warehouse)) as connection:
            (due,) = connection.execute(_SIZE).fetchone() or (0,)
            is_short = warehouse.stat().st_size < due  # cut off; or a build was killed, and all that counts is there
            found = connection.execute(_TABLES).fetchall()
            for schema, table in found if is_whole or is_short else ():
                connection.execute(f'select max(hash(t)) from "{schema}"."{table}" as t').fetchall()
    except duckdb.Error as error:
        return _first_line(error) if _is_damage(error) else ""
    return ""


def _connect(warehouse: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(warehouse), read_only=True, config={"enable_external_access": "false"})


def _is_damage(error: duckdb.Error) -> bool:
    is_class = isinstance(error, _DAMAGE) or type(error) is duckdb.Error
    return is_class and not any(word in str(error) for word in _FINE)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200]

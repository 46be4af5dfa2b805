"""Read-only queries on the marts. Only dbt writes the warehouse."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from flows.errors import RunError


def query(warehouse: Path, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
    """The result rows of `sql`, as dicts by column name.

    The connection is read-only, has no access to files or extensions, and is closed before this returns.
    Raises RunError if the warehouse does not exist or is locked by a writer.
    """
    if not warehouse.exists():
        raise RunError(f"{warehouse}: no warehouse yet; `genchi transform` builds it")
    try:
        connection = duckdb.connect(str(warehouse), read_only=True, config={"enable_external_access": "false"})
    except duckdb.IOException as error:
        raise RunError(f"{warehouse}: cannot be opened: {str(error).splitlines()[0]}") from None
    try:
        connection.execute("set timezone = 'UTC'")
        found = connection.execute(sql, list(parameters))
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    finally:
        connection.close()

"""A dbt-duckdb plugin: dbt's connections know the lake's place, and read one in a store. The profile names this module.

Sources name the lake by a variable of DuckDB, so that what dbt has parsed does not depend on its place.
The store's options are passed within the process, so that no secret is written to a file, an argument or a log.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin

from flows.lake import Lake

_read_by_dbt: list[Lake] = []
# The environment variables that name the lake and the dictionary, and where these are without them.
_PLACES = {"lake": ("GENCHI_LAKE", "lake"), "words": ("GENCHI_WORDS", "lake/_reference/words.parquet")}


@contextmanager
def opened(lake: Lake) -> Iterator[None]:
    """Give dbt's connections within the block access to this lake."""
    _read_by_dbt.append(lake)
    try:
        yield
    finally:
        _read_by_dbt.pop()


def read_by_dbt() -> Lake | None:
    """The lake that dbt's connections of this process read."""
    return _read_by_dbt[-1] if _read_by_dbt else None


class Plugin(BasePlugin):
    """The plugin class that dbt-duckdb loads from this module."""

    def configure_connection(self, conn: Any) -> None:
        """Called once for each connection that is opened."""
        if lake := read_by_dbt():
            lake.open_to(conn)

    def configure_cursor(self, cursor: Any) -> None:
        """Called for each cursor: variables are those of a cursor alone."""
        for variable, (name, default) in _PLACES.items():
            cursor.execute(f"set variable {variable} = ?", [os.environ.get(name, default)])

"""A dbt-duckdb plugin: dbt's connection reads the objects of a lake in a store. The profile names this module.

The store's options are passed within the process, so that no secret is written to a file, an argument or a log.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin

from flows.lake import Lake

_read_by_dbt: list[Lake] = []


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

"""The reader of the marts: page, checks, alerts, review, compare and backfill go through it.

Where the marts lie, the reader knows, and who asks does not: in the warehouse file, or as Parquet in the lake.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from flows.config import Config
from flows.marts.published_marts import PublishedMarts
from flows.warehouse import held_open, query

_COLUMNS = """
    select table_name, column_name
    from information_schema.columns
    where table_schema = 'marts'
    order by table_name, ordinal_position
"""


class Marts(Protocol):
    """The marts of one workspace. Methods raise RunError where they cannot be read."""

    @property
    def place(self) -> Path | str:
        """Where they lie, for messages."""

    def exists(self) -> bool:
        """Whether there are any."""

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows of a SELECT in DuckDB's SQL, as dicts by column name; marts are named `marts.<name>`.

        Raises RunError if there are no marts, and duckdb.CatalogException for one that is not there.
        """

    def columns(self) -> dict[str, tuple[str, ...]]:
        """The names of the columns of each mart, by the mart's name; empty where there are no marts."""


class WarehouseMarts:
    """The marts in the warehouse file."""

    def __init__(self, warehouse: Path) -> None:
        self.place = warehouse

    def exists(self) -> bool:
        """Whether there is a warehouse."""
        return self.place.exists()

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """See `Marts`; every table of the warehouse can be named."""
        return query(self.place, sql, parameters)

    def columns(self) -> dict[str, tuple[str, ...]]:
        """See `Marts`."""
        found: dict[str, tuple[str, ...]] = {}
        for row in self.query(_COLUMNS) if self.exists() else ():
            found[row["table_name"]] = (*found.get(row["table_name"], ()), row["column_name"])
        return found


def open_marts(config: Config) -> Marts:
    """The marts of a workspace, to show them: of the warehouse, or where there is none, as they were published last."""
    built = built_marts(config)
    if built.exists():
        return built
    published = PublishedMarts(config.open_lake())
    return published if published.exists() else built


@contextmanager
def kept_open(config: Config) -> Iterator[None]:
    """Keep the warehouse open in the block, so that many questions about its marts open it once.

    Where it cannot be opened, nothing is done: who asks is told.
    """
    with held_open(config.warehouse):
        yield


def built_marts(config: Config) -> Marts:
    """The marts that a build of this workspace adds to: they say which days are built.

    Those of a warehouse on another engine are read as the build has published them.
    """
    if config.engine.warehouse != "duckdb":
        return PublishedMarts(config.open_lake())
    return WarehouseMarts(config.warehouse)

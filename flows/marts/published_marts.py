"""The marts as they are published in the lake, read by DuckDB without a warehouse."""

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from flows.errors import RunError
from flows.lake import Lake
from flows.marts.published_days import NOTE, PublishedTable, read_published
from flows.marts.published_parts import select_published
from flows.warehouse import rows_of

_NAMED = re.compile(r'"?(\w+)"?\s*\.\s*"?(\w+)"?')
_TRIES = 3  # a file may be replaced between listing and reading


class PublishedMarts:
    """The published marts of one lake; each is a view `marts.<name>` of a database in memory.

    A view is made when a statement first names its table, because to look at all of them costs a request each in an
    object store. It lists its files whenever it is read, so what is published later is seen.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._lock = threading.Lock()
        self._there: dict[str, PublishedTable] = {}

    @property
    def place(self) -> Path | str:
        """Where they lie."""
        return self._lake.backend.place("marts")

    def exists(self) -> bool:
        """Whether anything is published."""
        return self._lake.backend.exists(NOTE)

    def columns(self) -> dict[str, tuple[str, ...]]:
        """The names of the columns of each mart, by the mart's name; empty where there are no marts."""
        return {
            name.removeprefix("marts."): tuple(table.columns)
            for name, table in read_published(self._lake.backend).items()
            if name.startswith("marts.")
        }

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """The rows of a SELECT, as dicts by column name.

        Raises RunError if there are no marts or a file of them cannot be read, and duckdb.CatalogException for a mart
        that is not there.
        """
        if not self.exists():
            raise RunError(f"{self.place}: no marts yet; `genchi transform` builds and publishes them")
        for left in reversed(range(_TRIES)):
            try:
                with self._cursor(sql) as cursor:
                    return rows_of(cursor.execute(sql, list(parameters)))
            except (duckdb.IOException, duckdb.InvalidInputException, FileNotFoundError) as error:
                if not left:
                    told = str(error).strip().splitlines()[0][:200]
                    raise RunError(
                        f"{self.place}: cannot be read: {told}; `genchi transform` publishes the marts anew"
                    ) from None
        raise AssertionError

    @contextmanager
    def _cursor(self, sql: str) -> Iterator[duckdb.DuckDBPyConnection]:
        with self._lock:
            self._view({f"{schema}.{name}" for schema, name in _NAMED.findall(sql)})
            cursor = self._connection.cursor()
        try:
            cursor.execute("set timezone = 'UTC'")
            yield cursor
        finally:
            cursor.close()

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect()
        self._lake.open_to(connection)
        connection.execute("create schema marts; create schema intermediate")
        return connection

    def _view(self, named: set[str]) -> None:
        published = read_published(self._lake.backend)
        for name in sorted(named & set(published)):
            table = published[name]
            known = self._there.get(name)
            if known and (known.columns, known.is_whole, known.is_uneven) == (
                table.columns, table.is_whole, table.is_uneven
            ):  # fmt: skip
                continue
            rows = select_published(self._lake.backend, name, table)
            self._connection.execute(f"create or replace view {name} as {rows}")
            self._there[name] = table

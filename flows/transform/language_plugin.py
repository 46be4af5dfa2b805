"""A dbt-duckdb plugin: SQL knows the function `language_of`. The profile names this module."""

from typing import Any

import pyarrow as pa
from dbt.adapters.duckdb.plugins import BasePlugin

from flows.transform.language import languages_of


class Plugin(BasePlugin):
    """The plugin class that dbt-duckdb loads from this module."""

    def configure_connection(self, conn: Any) -> None:
        """Called once for each connection that is opened.

        A warehouse that a failed build left open in this process knows the function already.
        """
        known = "select count(*) from duckdb_functions() where function_name = 'language_of'"
        if conn.execute(known).fetchall()[0][0]:
            return
        conn.create_function("language_of", _of_batch, ["VARCHAR"], "VARCHAR", type="arrow", null_handling="special")


def _of_batch(texts: pa.ChunkedArray) -> pa.Array:
    return pa.array(languages_of(texts.to_pylist()), pa.string())

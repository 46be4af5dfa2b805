"""The functions that a format's SELECT can call beside DuckDB's own, for what would be long or slow in SQL."""

from collections.abc import Callable

import duckdb
import pyarrow as pa
from duckdb.func import SPECIAL, PythonUDFType
from duckdb.sqltypes import VARCHAR

from flows.ingest.map.chat_messages import chat_messages


def add_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a connection these functions, each of texts and null for a null:

    - `as_chat(json, role)`: a list of chat messages, as JSON; see chat_messages.py.
    """
    texts = [VARCHAR, VARCHAR]
    connection.create_function(
        "as_chat", _of_two(chat_messages), texts, VARCHAR, type=PythonUDFType.ARROW, null_handling=SPECIAL
    )


def _of_two(function: Callable[[str | None, str], str | None]) -> Callable[[pa.Array, pa.Array], pa.Array]:
    def of_columns(first: pa.Array, second: pa.Array) -> pa.Array:
        return pa.array(map(function, first.to_pylist(), second.to_pylist()), pa.string())

    return of_columns

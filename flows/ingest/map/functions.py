"""The functions that a format's SELECT can call beside DuckDB's own, for what would be long or slow in SQL."""

from collections.abc import Callable

import duckdb
import pyarrow as pa
from duckdb.func import SPECIAL, PythonUDFType
from duckdb.sqltypes import VARCHAR

from flows.ingest.map.chat_messages import chat_messages
from flows.ingest.map.data_frames import span_of_row
from flows.ingest.map.event_streams import streamed_text


def add_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a connection these functions, each of texts and null for a null:

    - `as_chat(json, role)`: a list of chat messages, as JSON; see chat_messages.py.
    - `as_streamed_text(events, '')`: the text of an answer that was logged as server-sent events.
    - `as_span(row, '')`: a span, as JSON, of a row of a data frame; see data_frames.py.
    """
    functions: dict[str, Callable[[str | None, str], str | None]] = {
        "as_chat": chat_messages,
        "as_streamed_text": streamed_text,
        "as_span": span_of_row,
    }
    for name, function in functions.items():
        connection.create_function(
            name,
            _of_two(function),
            [VARCHAR, VARCHAR],
            VARCHAR,
            type=PythonUDFType.ARROW,
            null_handling=SPECIAL,
        )


def _of_two(function: Callable[[str | None, str], str | None]) -> Callable[[pa.Array, pa.Array], pa.Array]:
    def of_columns(first: pa.Array, second: pa.Array) -> pa.Array:
        return pa.array(map(function, first.to_pylist(), second.to_pylist()), pa.string())

    return of_columns

"""The functions that a format's SELECT can call beside DuckDB's own, for what would be long or slow in SQL."""

from collections.abc import Callable
from typing import Any, get_type_hints

import duckdb
import pyarrow as pa
from duckdb.func import SPECIAL, PythonUDFType
from duckdb.sqltypes import BOOLEAN, VARCHAR

from flows.ingest.map.conversations import Answer, Question, read_answer, read_question
from flows.ingest.map.data_frames import span_of_row
from flows.ingest.map.event_streams import streamed_text
from flows.ingest.map.python_literals import literal_as_json


def add_functions(connection: duckdb.DuckDBPyConnection) -> None:
    """Give a connection these functions, each null for a null:

    - `as_question(json, instructions)`: a struct of messages, text, is_cut; see conversations.py.
    - `as_answer(json)`: a struct of message, text, finish_reason, is_cut; see conversations.py.
    - `as_streamed_text(events)`: the text of an answer that was logged as server-sent events.
    - `as_json(literal)`: JSON of a dict or list as Python prints it; see python_literals.py.
    - `as_span(row)`: a span, as JSON, of a row of a data frame; see data_frames.py.
    """
    _add(connection, "as_question", read_question, 2, Question)
    _add(connection, "as_answer", read_answer, 1, Answer)
    _add(connection, "as_streamed_text", streamed_text, 1)
    _add(connection, "as_json", literal_as_json, 1)
    _add(connection, "as_span", span_of_row, 1)


def _add(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    function: Callable[..., Any],
    arguments: int,
    row: type[tuple[Any, ...]] | None = None,
) -> None:
    """A function of JSON texts that gives a text, or a `row` of texts and flags as a struct."""
    kinds = {field: bool if hint is bool else str for field, hint in get_type_hints(row).items()} if row else {}
    arrow = pa.struct([(field, pa.bool_() if kind is bool else pa.string()) for field, kind in kinds.items()])
    returned = duckdb.struct_type({field: BOOLEAN if kind is bool else VARCHAR for field, kind in kinds.items()})

    def of_all(*columns: pa.Array) -> pa.Array:
        found = map(function, *(column.to_pylist() for column in columns))
        if row is None:
            return pa.array(found, pa.string())
        return pa.array([None if one is None else one._asdict() for one in found], arrow)

    def of_one(first: pa.Array) -> pa.Array:
        return of_all(first)

    def of_two(first: pa.Array, second: pa.Array) -> pa.Array:
        return of_all(first, second)

    connection.create_function(
        name,
        of_one if arguments == 1 else of_two,  # DuckDB counts the parameters
        [VARCHAR] * arguments,
        returned if row else VARCHAR,
        type=PythonUDFType.ARROW,
        null_handling=SPECIAL,
    )

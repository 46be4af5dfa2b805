"""The features of thousands of odd texts, and what else macros say of them, as Spark says it and as DuckDB does."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from tests.rendering import model, render, text_features
from tests.spark.odd_texts import odd_texts

pytest.importorskip("pyspark")
pytestmark = pytest.mark.spark

KEYS = {"subject_id", "day", "origin", "route", "model_served", "prompt_version", "release", "side", "cluster_key"}
FILES = ("text", "patterns", "signals", "own_features", "mutes", "spark_text", "spark_json")
MORE = (*FILES, "features")
TEXTS = odd_texts()
MESSAGE = """'{"role":"assistant","tool_calls":[{"function":{"name":"a"}},{"function":{"name":"b"}}]}'"""
RESULTS = """'[{"role":"assistant"},{"role":"tool","content":' || to_json(text_value) || '}]'"""
SAYINGS = {
    "member": "member_name('text_value')",
    "squeezed": "squeezed('text_value')",
    "normalised": "normalised_text('text_value')",
    "likeness": "likeness('left(text_value, 300)', 'left(other, 300)')",
    "edit_likeness": "edit_likeness('left(text_value, 300)', 'left(other, 300)')",
    "number": "number_in('text_value')",
    "negative": "is_negative('other', 'text_value')",
    "tool_calls": f"count_tool_calls({MESSAGE!r})",
}


@pytest.fixture(scope="module")
def session(remote: str) -> Iterator[Any]:
    """A session whose view `texts` has the odd texts, each with the next one beside it."""
    from pyspark.sql import SparkSession

    session: Any = SparkSession.builder.remote(remote).getOrCreate()
    session.conf.set("spark.sql.variant.allowDuplicateKeys", "true")
    session.createDataFrame(given()).createOrReplaceTempView("texts")
    yield session
    session.stop()


def given() -> pa.Table:
    numbers = pa.array(range(1, len(TEXTS) + 1), pa.int64())
    return pa.table({"subject_id": numbers, "text_value": TEXTS, "other": [*TEXTS[1:], "x"]})


def on_duckdb(sql: str) -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        connection.register("given", given())
        connection.execute("create table texts as from given")
        rows: list[dict[str, Any]] = connection.sql(sql).to_arrow_table().to_pylist()
        return rows


def unlike(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> dict[str, list[str]]:
    """What differs, by text."""
    found: dict[str, list[str]] = {}
    for text, row, there in zip(TEXTS, ours, theirs, strict=True):
        for name in row.keys() - KEYS - {"text_hash"}:
            one, other = row[name], there[name]
            if one != (pytest.approx(other, rel=1e-9, nan_ok=True) if isinstance(other, float) else other):
                found.setdefault(text, []).append(f"{name}: DuckDB {one!r:.80}, Spark {other!r:.80}")
    return found


def told(found: dict[str, list[str]]) -> str:
    return "\n".join(f"{text[:60]!r}: {'; '.join(said)}" for text, said in list(found.items())[:100])


def test_features_of_odd_texts_are_the_same(session: Any) -> None:
    sql = render(model("int_text_features"), *FILES, engine="spark")
    tables = (
        "with int_texts as (select date '2026-03-04' as day, 'production' as origin, 'r' as route, 'm' as model_served,"
        " 'v' as prompt_version, 'x' as release, 'output' as side, subject_id, 1 as cluster_key,"
        " text_value from texts),"
        " int_text_words as (select cast(null as date) as day, '' as origin, '' as route, '' as side, 0 as subject_id,"
        " 0 as words_known, 0 as words_checked where false),"
        " int_repeated_outputs as (select cast(null as date) as day, '' as route, 0 as text_hash where false)"
    )
    found_there = session.sql(f"{tables} select * from ({sql}) order by subject_id").toArrow()
    found = unlike(on_duckdb(text_features("texts")), found_there.to_pylist())
    # Spark's parser of JSON stops at 1,000 levels, and at numbers of 1,000 digits.
    known = ["[" * 5000 + "]" * 5000, '{"a":' * 2000 + "1" + "}" * 2000, "9" * 5000]
    assert len(TEXTS) > 5500
    assert set(found) == set(known), told({text: said for text, said in found.items() if text not in known})


def test_what_macros_say_of_odd_texts_is_the_same(session: Any) -> None:
    columns = ", ".join(f"{{{{ {call} }}}} as {name}" for name, call in SAYINGS.items())
    sql = f"select {columns} from texts order by subject_id"
    theirs = session.sql(render(sql, *MORE, engine="spark")).toArrow().to_pylist()
    found = unlike(on_duckdb(render(sql, *MORE)), theirs)
    assert not found, told(found)


def test_fields_of_odd_objects_are_the_same(session: Any) -> None:
    kinds = "select *, {{ json_kind('text_value') }} as json_kind from texts"
    fields = "{{ fields_of('objects', ['subject_id'], 'text_value') }}"
    sql = f"with kinds as ({kinds}), objects as (select * from kinds where json_kind = 'OBJECT') {fields}"
    ours = on_duckdb(render(sql, *MORE))
    theirs = session.sql(render(sql, *MORE, engine="spark")).toArrow().to_pylist()
    known = {number for number, text in enumerate(TEXTS, 1) if text.startswith('{"a":' * 2000) or '"a":1,"a":2' in text}
    assert len(ours) > 500
    one, other = rows_of(ours, known), rows_of(theirs, known)
    assert one - other == set(), [(row, TEXTS[row[0] - 1][:200]) for row in sorted(one - other, key=repr)[:40]]
    assert other - one == set()


def rows_of(rows: list[dict[str, Any]], known: set[int]) -> set[tuple[Any, ...]]:
    """The rows. Numbers are compared as numbers: of very large and small ones Java writes another text."""
    return {
        tuple(
            float(value) if name == "value" and row["json_type"] == "number" else value for name, value in row.items()
        )
        for row in rows
        if row["subject_id"] not in known
    }

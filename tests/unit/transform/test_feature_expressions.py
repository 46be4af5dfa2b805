"""Expressions of features.csv: what DuckDB says of wrong ones, and the columns that they may name."""

from pathlib import Path

import duckdb
import pytest

from flows.config import CALL_COLUMNS, TEXT_COLUMNS
from flows.errors import ConfigError
from flows.transform.feature_expressions import checked_features
from tests.rendering import model, render, text_features

HEADER = "feature,side,kind,expression,description"


def written(folder: Path, *lines: str) -> Path:
    (folder / "features.csv").write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("a,both,share,text_vale = 'x',that a", 'Referenced column "text_vale" not found'),
        ("a,pair,share,text_value = 'x',that a", 'Referenced column "text_value" not found'),
        ("a,both,share,text_value = ',that a", "unterminated string literal"),
        ("a,both,number,count(*),a", "aggregates are not allowed"),
        ("a,both,share,\"regexp_matches(text_value, '(')\",that a", "missing )"),
        ("a,both,share,no_function(text_value),that a", "no_function does not exist"),
        ("a,both,share,(select true),that a", "subquery"),
        ("order,both,share,true,that a", "syntax error"),
    ],
)
def test_a_wrong_expression_is_one_line_with_what_duckdb_says(tmp_path: Path, line: str, told: str) -> None:
    workspace = written(tmp_path, "fine,both,share,true -- always,that are", line)
    with pytest.raises(ConfigError) as error:
        checked_features(workspace)
    name = line.partition(",")[0]
    assert str(error.value).startswith(f"{tmp_path / 'features.csv'}:3: feature `{name}`: ")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_an_expression_may_name_every_column_of_texts_with_its_type(tmp_path: Path) -> None:
    lines = [f"of_{name},both,share,typeof({name}) = '{kind.upper()}',x" for name, kind in TEXT_COLUMNS.items()]
    features = checked_features(written(tmp_path, *lines))
    sql = text_features("texts", var=lambda _: features)
    with duckdb.connect() as connection:
        connection.execute("create table texts as select 'Some text' as text_value")
        names = [f"of_{name}" for name in TEXT_COLUMNS]
        found = dict(
            zip(names, connection.execute(f"select {', '.join(names)} from ({sql})").fetchall()[0], strict=True)
        )
    assert [name for name, is_so in found.items() if not is_so] == []


def test_a_text_on_which_an_expression_fails_has_no_value_and_others_have_theirs(tmp_path: Path) -> None:
    features = checked_features(
        written(
            tmp_path,
            "as_number,both,number,cast(text_value as double),x",
            "of_input,input,share,true,x",
            "commented,both,share,true -- said so,x",
        )
    )
    sql = text_features("texts", var=lambda _: features)
    with duckdb.connect() as connection:
        connection.execute("create table texts as select unnest(['2.5', 'hello', 'inf', 'nan', '1e300']) as text_value")
        rows = connection.execute(f"select as_number, of_input, commented from ({sql})").fetchall()
    assert rows == [(2.5, None, True), *[(None, None, True)] * 4]


def test_an_expression_may_name_every_column_of_calls_with_its_type(tmp_path: Path) -> None:
    kinds = {name: kind.upper() for name, kind in CALL_COLUMNS.items()}
    lines = [f"of_{name},pair,share,typeof({name}) = '{kind}',x" for name, kind in kinds.items()]
    features = checked_features(written(tmp_path, *lines))
    macros = ("text", "patterns", "counting", "own_features")
    with duckdb.connect() as connection:
        connection.execute(
            "create table int_calls as select date '2026-03-04' as day, 'a' as call_id, 'r' as route, 'm' as"
            " model_served, 'v' as prompt_version, 'x' as release, 1 as cluster_key, 'q' as input_text, 'a' as"
            " output_text, '{}' as params_json, null::varchar as output_json, '[]' as messages_json, 'stop' as"
            " finish_reason, false as is_error, false as is_cache_hit, 5::bigint as latency_ms,"
            " 5::bigint as input_tokens, 5::bigint as output_tokens, 0.1 as cost_usd"
        )
        connection.execute(
            "create table stg_examples as select null::date as day, '' as example_set, '' as route, '' as example_id,"
            " '' as input_text, '' as expected_text, '' as expected_json where false"
        )
        connection.execute(
            "create table int_text_features as select null::date as day, '' as origin, '' as route, '' as subject_id,"
            " '' as side, 0 as characters, true as json_valid, '' as script, true as asks_for_json where false"
        )
        connection.execute(f"create view int_pairs as {render(model('int_pairs'), *macros)}")
        names = [f"of_{name}" for name in CALL_COLUMNS]
        sql = render(model("int_pair_features"), *macros, var=lambda _: features)
        found = dict(
            zip(names, connection.execute(f"select {', '.join(names)} from ({sql})").fetchall()[0], strict=True)
        )
    assert [name for name, is_so in found.items() if not is_so] == []

"""The features of texts against those who define them: Evidently's descriptors, and the plain patterns."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import example, given, settings

from tests.rendering import render, text_features

ASCII = st.text(st.characters(max_codepoint=127), max_size=60)
PIECES = st.lists(
    st.sampled_from(
        [*" .?!'\"`{}[],:\\\n\t\x0b\x1c-", "a", "B", "Mr.", "e.g.", "U.S.", "12", "NaN", "nan", "Infinity", "-Infinity",
         "inf", "true", '"a"', '{"a": 1}', "[1, 2]", "\\ud800", "\\u0041", "```", "I'm sorry, but I", "# x", "**x**",
         "- x", "1. x", "| x |", "[x](y)"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@pytest.fixture(scope="module")
def evidentlys() -> dict[str, Callable[[str], Any]]:
    """What Evidently says of one text, by the name of genchi's feature."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Evidently's imports warn of what it still uses of numpy
        from evidently.legacy.features import generated_features, text_contains_feature
        from evidently.legacy.features.is_valid_json_feature import IsValidJSON
        from evidently.legacy.features.non_letter_character_percentage_feature import NonLetterCharacterPercentage
        from evidently.legacy.features.sentence_count_feature import SentenceCount
        from evidently.legacy.features.text_length_feature import TextLength
        from evidently.legacy.features.word_count_feature import WordCount

    def applied(feature: type[generated_features.ApplyColumnGeneratedFeature]) -> Callable[[str], Any]:
        return feature(column_name="t").apply

    percentage, contains = applied(NonLetterCharacterPercentage), text_contains_feature.Contains("t", ["```"])
    return {
        "characters": applied(TextLength),
        "words": applied(WordCount),
        "sentences": applied(SentenceCount),
        "json_valid": applied(IsValidJSON),
        "non_letter_share": lambda text: percentage(text) / 100,
        "code_fence": lambda text: contains.generate_feature(pd.DataFrame({"t": [text]}), None).iloc[0, 0],
    }


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("create table texts (text_value varchar)")
        connection.execute(f"create view features as {text_features('texts')}")
        yield connection


def features_of(database: duckdb.DuckDBPyConnection, text: str) -> dict[str, Any]:
    database.execute("delete from texts")
    database.execute("insert into texts values (?)", [text])
    found = database.execute("select * from features")
    return dict(zip([column[0] for column in found.description], found.fetchall()[0], strict=True))


@settings(max_examples=200, deadline=None)
@given(text=st.one_of(ASCII, PIECES).filter(bool))
@example(text="[1,]")
@example(text='[1, {"a": -NaN}]')
@example(text='{"a": "\\ud800, ]", "b": [NaN, -Infinity]}')
@example(text='"\\\\ud800"')
@example(text="Mr. X met e.g. the U.S. ones? Yes.\x1cNo. ")
@example(text="  1 2  a\n3 b4c   ")
@example(text="a " * 3000)
def test_six_descriptors_of_an_ascii_text_are_evidentlys(
    database: duckdb.DuckDBPyConnection, evidentlys: dict[str, Callable[[str], Any]], text: str
) -> None:
    found = features_of(database, text)
    expected = {name: descriptor(text) for name, descriptor in evidentlys.items()}
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-12)


@settings(max_examples=80, deadline=None)
@given(text=st.one_of(st.text(max_size=60), PIECES))
@example(text="Привет, 你好 ok")
@example(text="ǆ ß İ")
def test_the_quick_ways_find_what_the_plain_patterns_find(database: duckdb.DuckDBPyConnection, text: str) -> None:
    found = features_of(database, text)
    plain = {
        "markdown": "{{ matches('t', markdown_pattern()) }}",
        "refusal": "{{ matches('t', refusal_pattern()) }}",
        "lower_case": "t = lower(t) and t <> upper(t)",
        "all_caps": "t = upper(t) and t <> lower(t)",
        "script_latin": "{% set n = count_characters('t', '\\\\p{Latin}') %}"
        "{{ n }} > 0 and 2 * {{ n }} >= {{ count_characters('t', '\\\\pL') }}",
        "non_ascii_share": "1 - {{ count_characters('t', '[:ascii:]') }} / nullif(1.0 * length(t), 0)",
        "non_letter_share": "length(regexp_replace(t, '[\\pL ]+', '', 'g')) / nullif(1.0 * length(t), 0)",
        "words": "len(list_filter(string_split(t, ' '), lambda piece: regexp_matches(piece, '\\pL')))",
    }
    sql = render(f"select {', '.join(plain.values())} from (select ? as t)", "text", "patterns")
    expected = dict(zip(plain, database.execute(sql, [text]).fetchall()[0], strict=True))
    assert {name: found[name] for name in plain} == pytest.approx(expected, abs=1e-12)

"""A workspace's own features as functions of a batch of rows: what DuckDB says in a warehouse, without Spark."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from flows.config import CALL_COLUMNS, TEXT_COLUMNS, WorkspaceFeature, workspace_features
from flows.transform.spark_functions import _computed, columns_of

HEADER = "feature,side,kind,expression,description"


def feature(folder: Path, side: str, kind: str, expression: str) -> WorkspaceFeature:
    (folder / "features.csv").write_text(f'{HEADER}\nx,{side},{kind},"{expression}",x\n', encoding="utf-8")
    (found,) = workspace_features(folder)
    return found


def computed(given: WorkspaceFeature, **columns: list[object]) -> list[object]:
    assert columns_of(given) == list(columns)
    values: list[object] = _computed(given)(*(pa.array(values) for values in columns.values())).to_pylist()
    return values


def test_a_row_on_which_an_expression_fails_has_no_value_and_the_others_keep_their_order(tmp_path: Path) -> None:
    texts: list[object] = ["2.5", "hello", None, *map(str, range(10_000))]
    found = computed(feature(tmp_path, "both", "number", "cast(text_value as double)"), text_value=texts)
    assert found == [2.5, None, None, *map(float, range(10_000))]


def test_only_the_columns_that_an_expression_names_are_handed_over(tmp_path: Path) -> None:
    one = feature(tmp_path, "output", "share", "N_Words > 3 and Lower_Text like '%side%'")
    assert columns_of(one) == ["side", "lower_text", "n_words"]
    assert computed(feature(tmp_path, "both", "share", "true -- said so"), route=["a", "b"]) == [True, True]


def test_columns_have_the_types_that_they_have_in_a_warehouse(tmp_path: Path) -> None:
    for side, known in (("both", TEXT_COLUMNS), ("pair", CALL_COLUMNS)):
        for name, kind in known.items():
            one = feature(tmp_path, side, "share", f"typeof({name}) = '{kind.upper()}'")
            value = {"date": date(2026, 3, 4), "varchar": "a", "boolean": True}.get(kind, 1)
            assert computed(one, **{name: [value]}) == [True], name


def test_an_expression_may_ask_for_the_language(tmp_path: Path) -> None:
    one = feature(tmp_path, "both", "share", "language_of(text_value) = 'de'")
    texts: list[object] = ["Die Bestellung ist noch immer nicht bei mir angekommen, wo bleibt sie?", "12"]
    assert computed(one, text_value=texts) == [True, False]


@pytest.mark.parametrize("column", ["text_value", "Text_Value"])
def test_names_are_found_whatever_their_case(tmp_path: Path, column: str) -> None:
    assert columns_of(feature(tmp_path, "both", "number", f"length({column})")) == ["text_value"]

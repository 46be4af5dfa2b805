"""A field that is to go is gone, and nothing else of the record has changed."""

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.config.fields import parse_path
from flows.ingest.redact import field_paths


def without(text: str, *paths: str) -> str:
    return field_paths.without(text, [parse_path(path) for path in paths])[0]


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a", '{"a": 1, "b": 1.0}', '{"b": 1.0}'),
        ("b", '{"a": 12345678901234567890, "b": 1.0}', '{"a": 12345678901234567890}'),
        ("b", '{"a": 1e400 , "b": [1, {"b": "}"}] , "c": null }', '{"a": 1e400 , "c": null }'),
        ("a", '{ "a": {"b": 2} }', "{  }"),
        (
            "$.metadata.user",
            '{"metadata": {"user": "x", "n": 1.50}, "user": "y"}',
            '{"metadata": {"n": 1.50}, "user": "y"}',
        ),
        (
            "messages[*].name",
            '{"messages": [{"name": "a", "x": 1}, {"x": 2}, {"x": 3, "name": "b"}]}',
            '{"messages": [{"x": 1}, {"x": 2}, {"x": 3}]}',
        ),
        ("messages[1].name", '{"messages": [{"name": "a"}, {"name": "b"}]}', '{"messages": [{"name": "a"}, {}]}'),
        (
            "*.email",
            '{"a": {"email": 1}, "email": 2, "b": {"c": {"email": 3}}}',
            '{"a": {}, "email": 2, "b": {"c": {"email": 3}}}',
        ),
        ("ids[*]", '{"ids": [1, 2, 3], "n": 1}', '{"ids": [], "n": 1}'),
        ('metadata["user.email"]', '{"metadata": {"user.email": "x"}}', '{"metadata": {}}'),
        ("email", '{"\\u0065mail": "x", "b": "\\u0065mail"}', '{"b": "\\u0065mail"}'),
        ("a.b", '{"a": "{\\"b\\": 1}", "c": {"b": 1}}', '{"a": "{\\"b\\": 1}", "c": {"b": 1}}'),
        ("a", '{"a": 1, "a": 2, "b": 3, "a": 4}', '{"b": 3}'),
        ("a", 'no JSON with "a": in it', 'no JSON with "a": in it'),
        ("a", '{"a": 1', '{"a": 1'),
        ("a", '{"b": ' + "[" * 5000 + "]" * 5000 + ', "a": 1}', '{"b": ' + "[" * 5000 + "]" * 5000 + "}"),
    ],
)
def test_a_field_goes_and_all_else_stays_as_it_was_written(path: str, before: str, after: str) -> None:
    assert without(before, path) == after


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "ä", 'q"', "c d"]), inner, max_size=4)
    ),
    max_leaves=20,
)


def pruned(value: Any, path: tuple[str | int | None, ...]) -> Any:
    """The same on parsed JSON: the oracle."""
    if not path or not isinstance(value, dict | list):
        return value
    items = value.items() if isinstance(value, dict) else enumerate(value)
    kept = [
        (key, pruned(item, path[1:]) if path[0] in (None, key) else item)
        for key, item in items
        if not (len(path) == 1 and path[0] in (None, key) and type(path[0]) in (type(None), type(key)))
    ]
    return dict(kept) if isinstance(value, dict) else [item for _, item in kept]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(st.sampled_from(["a", "b", "c d"]), values, max_size=4),
    st.sampled_from(["a", "b", "a.b", "a[*].b", "*.a", "a.b.ä", "a[1]", "a[*]", 'b["q\\""]', 'a["c d"]']),
    st.booleans(),
    st.sampled_from([None, 2]),
)
def test_what_stays_is_what_an_oracle_on_parsed_json_keeps(
    record: dict[str, Any], path: str, ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(record, ensure_ascii=ascii_only, indent=indent)
    steps = parse_path(path)
    assert json.loads(field_paths.without(text, [steps])[0]) == pruned(record, steps)
    (found,), _ = field_paths.drop_paths(pa.array([text]), [path])
    assert found.as_py() == field_paths.without(text, [steps])[0]


def test_records_without_the_field_are_not_touched_and_the_count_is_that_of_fields() -> None:
    raw = pa.chunked_array([["{}", None, '{"a": {"n": 1}, "n": "a"}'], ['{"a": [{"n": 1}, {"n": 2, "m": 3}]}']])
    kept, count = field_paths.drop_paths(raw, ["a[*].n"])
    assert kept.to_pylist() == [*raw.to_pylist()[:3], '{"a": [{}, {"m": 3}]}']
    assert count == 2
    first = raw.chunk(0)
    same, none = field_paths.drop_paths(first, ["zz"])
    assert same is first
    assert none == 0
    assert field_paths.drop_paths(raw, []) == (raw, 0)

"""JSON schemas: wrappers, schemas without effect, and patterns of ECMA-262."""

import json

import pytest

from flows.errors import ConfigError
from flows.evaluate.criteria import criteria_file
from flows.evaluate.criteria.ecma_pattern import translated
from flows.evaluate.criteria.json_schema import UnusableError, load_or_report, load_schema
from flows.evaluate.criteria.schema_rules import constrains
from flows.evaluate.criteria.scorers import Response, score, score_schema
from flows.evaluate.criteria.time_limit import search
from flows.evaluate.examples.frozen_holdout import Example

INNER = {"type": "object", "properties": {"kind": {"enum": ["a", "b"]}}, "required": ["kind"]}


def loaded(folder, schema):
    (folder / "s.json").write_text(json.dumps(schema))
    return load_schema(folder / "s.json")


@pytest.mark.parametrize(
    "wrapper",
    [
        {"name": "it", "strict": True, "schema": INNER},
        {"schema": INNER},
        {"type": "json_schema", "json_schema": {"name": "it", "strict": True, "schema": INNER}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "it", "schema": INNER}}},
        {"type": "json_schema", "name": "it", "schema": INNER},
        {"format": {"type": "json_schema", "name": "it", "schema": INNER}},
    ],
)
def test_the_wrappers_in_which_openai_takes_a_schema_are_removed(tmp_path, wrapper):
    schema = loaded(tmp_path, wrapper)
    assert schema.version == loaded(tmp_path, INNER).version
    assert score_schema(schema, '{"kind": "a"}').passed is True
    assert score_schema(schema, '{"nonsense": [1]}').passed is False


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"title": "x", "description": "y", "default": 1, "$comment": "z"},
        {"propertys": {"a": {"type": "string"}}},
        {"properties": {"a": {}, "b": True}},
        {"required": []},
        {"type": ["array", "boolean", "null", "number", "object", "string"]},
        {"anyOf": [{"type": "string"}, {}]},
        {"allOf": [{}, {"title": "x"}]},
        {"name": "it", "schema": {}},
        {"additionalProperties": True, "items": {}},
        {"minLength": 0},
        {"not": False},
    ],
)
def test_a_schema_that_every_value_passes_is_refused(tmp_path, schema):
    with pytest.raises(UnusableError, match="every JSON value is valid"):
        loaded(tmp_path, schema)


@pytest.mark.parametrize(
    "schema",
    [
        INNER,
        {"properties": {"schema": {"type": "string"}}},
        {"additionalProperties": False},
        {"enum": [0]},
        {"const": 0},
        {"enum": []},
        {"not": {}},
        {"anyOf": [{"type": "string"}, {"minimum": 3}]},
        {"items": [{"type": "string"}]},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}},
        {"type": "object", "schema": {"a": 1}, "properties": {}},
    ],
)
def test_a_schema_that_some_value_fails_is_kept(schema):
    assert constrains(schema)


@pytest.mark.parametrize(
    ("pattern", "matches", "fails"),
    [
        (r"^\p{L}+$", "Zo\u00e9", "Zo3"),
        (r"^\p{Script=Greek}+$", "\u03b1\u03b2", "ab"),
        (r"^\P{L}$", "1", "a"),
        (r"^\d+$", "12", "\u0661\u0662"),
        (r"^\w+$", "a_1", "\u00e9"),
        (r"^[\w-]+$", "a-1", "\u00e9"),
        (r"^[^\d]$", "a", "1"),
        (r"^a$", "a", "a\n"),
        (r"^\u{1F600}$", "\U0001f600", "x"),
        (r"^\u0041\/\-$", "A/-", "A"),
        (r"^\cJ$", "\n", "J"),
        (r"^[^]$", "\n", ""),
        (r"^(?<y>\d)\k<y>$", "11", "12"),
        (r"^[$\]]$", "$", "a"),
        (r"^[[a]$", "[", "b"),
        (r"^[a[]$", "[", "b"),
        (r"^\\d$", r"\d", "1"),
    ],
)
def test_patterns_have_the_meaning_of_ecma_262(pattern, matches, fails):
    assert search(translated(pattern), matches)
    assert not search(translated(pattern), fails)


def test_patterns_of_values_and_of_keys_apply(tmp_path):
    rules = {
        "type": "object",
        "properties": {"name": {"pattern": r"^\p{L}+$"}},
        "patternProperties": {r"^x_\p{Lu}": {"type": "integer"}},
        "additionalProperties": False,
    }
    schema = loaded(tmp_path, rules)
    for text, passed in (
        ('{"name": "Zoe", "x_A": 1}', True),
        ('{"name": "Z0e"}', False),
        ('{"x_A": "1"}', False),
        ('{"x_a": 1}', False),
        ('{"other": 1}', False),
    ):
        assert score_schema(schema, text).passed is passed, text


def test_a_pattern_that_backtracks_for_ever_leaves_its_answer_unscored(tmp_path):
    schema = loaded(tmp_path, {"type": "string", "pattern": "^(a|aa)+$"})
    found = score_schema(schema, json.dumps("a" * 60 + "!"))
    assert (found.passed, "took longer than" in found.reason) == (None, True)


@pytest.mark.parametrize("broken", [{"type": "thing"}, {"pattern": "("}, {}, [1]])
def test_a_schema_that_cannot_be_used_stops_its_criterion_only(tmp_path, broken):
    (tmp_path / "s.json").write_text(json.dumps(broken))
    (tmp_path / "checks.py").write_text("missing\n")
    path = tmp_path / "c.yaml"
    path.write_text(
        "- {name: shape, kind: json_schema, schema: s.json}\n- {name: own, kind: python, function: 'checks:f'}\n"
        "- {name: short, kind: length, max_chars: 9}\n"
    )
    with pytest.raises(ConfigError):
        criteria_file.load_criteria(path, tmp_path)
    criteria = criteria_file.load_criteria(path, tmp_path, report=True)
    found = [score(criterion, Example("1", "v", ()), Response("{}")) for criterion in criteria]
    assert [one.passed for one in found] == [None, None, True]
    assert "s.json" in found[0].reason
    assert "fails to load" in found[1].reason
    assert score_schema(load_or_report(tmp_path / "s.json"), "{}").passed is None

"""JSON schemas: wrappers, schemas without effect, and patterns of ECMA-262."""

import json
import re
from pathlib import Path

import pytest

from flows.errors import ConfigError
from flows.evaluate.criteria import criteria_file, schema_formats
from flows.evaluate.criteria.ecma_pattern import translated
from flows.evaluate.criteria.json_schema import Schema, UnusableError, hash_of, load_or_report, load_schema
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
        {"format": "color"},
        {"if": {"type": "string"}},
        {"if": {}, "then": {}},
        {"then": {"type": "string"}},
    ],
)
def test_a_schema_that_every_value_passes_is_refused(tmp_path, schema):
    with pytest.raises(UnusableError, match="every JSON value is valid"):
        loaded(tmp_path, schema)


@pytest.mark.parametrize(
    "schema",
    [
        INNER,
        {"format": "date"},
        {"if": {}, "then": {"type": "string"}},
        {"if": {"type": "string"}, "else": {"minimum": 1}},
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


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ('{"type": "thing"}', "not a valid JSON schema"),
        ('{"pattern": "("}', "not a valid JSON schema"),
        ("{}", "every JSON value is valid"),
        ("[1]", "must be an object"),
        ('{"type": "object",', "is not JSON"),
        ("type: object", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        (" \n", "is empty; write the JSON schema there"),
        (None, "cannot be read (No such file or directory); write the JSON schema there"),
    ],
)
def test_a_schema_that_cannot_be_used_stops_its_criterion_only(tmp_path, caplog, broken, why):
    if broken is not None:
        (tmp_path / "s.json").write_text(broken)
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
    assert why in found[0].reason
    (line,) = (one for one in caplog.messages if "`shape`" in one)
    assert line.startswith(f"{path}: criterion `shape`: {tmp_path / 's.json'}: ")
    assert line.endswith(". Until then no answer is checked by it")
    assert "\n" not in line
    assert "fails to load" in found[1].reason
    assert score_schema(load_or_report(tmp_path / "s.json", "a route"), "{}").passed is None


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (
            "date",
            ["2026-02-28", "2024-02-29"],
            ["2026-02-30", "28.02.2026", "20260228", "2026-W09-6", "\uff12026-02-28"],
        ),
        ("time", ["12:00:00Z", "23:59:60Z", "12:00:00.25+01:00"], ["12:00:00", "12:00Z", "25:00:00Z", "noon"]),
        (
            "date-time",
            ["2026-02-28T12:00:00Z", "2026-02-28t12:00:00.123456789-05:30"],
            ["2026-02-28", "2026-02-28 12:00:00Z", "2026-02-28T12:00:00", "2026-13-01T00:00:00Z", "tomorrow"],
        ),
        ("duration", ["P1D", "PT5M", "P1Y2M3DT4H5M6S", "P2W"], ["P", "PT", "1 day", "P1D2", "P1WT1H"]),
        (
            "email",
            ["a@example.com", "a.b+c@sub.example.com", '"a b"@example.com', "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]"],
            ["@", "a@", "@example.com", "a b@example.com", "a..b@example.com", "a@-example.com", "a@[x]", "see a@b.c!"],
        ),
        ("hostname", ["example.com", "localhost", "a-b.c"], ["-a.com", "a..b", "a_b", "", "a" * 64]),
        ("ipv4", ["192.0.2.1"], ["192.0.2", "192.0.2.256", "2001:db8::1"]),
        ("ipv6", ["2001:db8::1", "::"], ["192.0.2.1", "2001:db8::g", "fe80::1%eth0"]),
        (
            "uri",
            ["https://example.com/a?b=c#d", "mailto:a@example.com", "urn:isbn:0"],
            ["example.com", "/a", "https://a b", "https://[x", "https://a:b", "https://é", "https:"],
        ),
        ("uri-reference", ["/a", "#b", "https://example.com", ""], ["a b", "\\a", "%zz"]),
        (
            "uuid",
            ["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"],
            ["123e4567e89b12d3a456426614174000", "{123e4567-e89b-12d3-a456-426614174000}", "x"],
        ),
        ("color", ["anything"], []),
    ],
)
def test_formats_are_checked(tmp_path, name, good, bad):
    schema = loaded(tmp_path, {"type": ["string", "integer"], "format": name})
    for value, passes in [(1, True), *((one, True) for one in good), *((one, False) for one in bad)]:
        assert score_schema(schema, json.dumps(value)).passed is passes, value


def test_every_checked_format_stands_in_the_readme_and_is_part_of_a_schemas_version():
    readme = (Path(__file__).parents[3] / "flows" / "evaluate" / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"`([a-z0-9-]+)`", readme.partition("Checked values of")[2].partition("say nothing")[0])
    assert told == ["format", *schema_formats.FORMATS]
    unchecked, checked = ({"items": {"type": "string", "format": name}} for name in ("color", "date"))
    assert Schema(unchecked).version == hash_of(unchecked)
    assert Schema(checked).version != hash_of(checked)

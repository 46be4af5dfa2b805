"""Odd values of `expected`, odd answers and odd files of criteria: none of them passes or fails by accident."""

import json
import time

import pytest

from flows.errors import ConfigError
from flows.evaluate.criteria import criteria_file, judge_prompt
from flows.evaluate.criteria.number_reading import first_number
from flows.evaluate.criteria.scorers import Response, score
from flows.evaluate.examples.frozen_holdout import Example
from flows.evaluate.score.answer_scoring import pinned_answers


def made(folder, schema=None, **definition):
    path = folder / "criteria.yaml"
    if schema is not None:
        (folder / "s.json").write_text(json.dumps(schema))
        definition |= {"kind": "json_schema", "schema": "s.json"}
    path.write_text(json.dumps([{"name": "it", **definition}]))
    return criteria_file.load_criteria(path, folder, report=True)[0]


def passed(criterion, answer, expected=None):
    return score(criterion, Example("1", "v", (), expected), Response(answer)).passed


@pytest.mark.parametrize(
    ("kind", "expected", "answer", "passes"),
    [
        ("numeric", [3, 4], "it is 4", True),
        ("numeric", [3, 4], "it is 5", False),
        ("numeric", ["three", None], "3", None),
        ("numeric", "1e999", "5", None),
        ("numeric", 5, "9" * 5000, False),
        ("numeric", "3/4", "3/5", False),
        ("numeric", 0.75, "3/4", True),
        ("numeric", 12, "12:30", False),
        ("numeric", 2026, "2026-03-10", False),
        ("numeric", 10, "10^6", False),
        ("exact", 1.0, "1", True),
        ("exact", 5, "5.0", True),
        ("exact", "5", "5.0", False),
        ("exact", [1.0, "two"], "1", True),
        ("exact", True, "1", False),
        ("exact", 1, "true", False),
        ("contains", [], "x[]", None),
    ],
)
def test_lists_and_numbers_that_are_expected_count_as_what_they_are(tmp_path, kind, expected, answer, passes):
    assert passed(made(tmp_path, kind=kind), answer, expected) is passes


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3/4", 0.75),
        ("3/0", None),
        ("10/03/2026", None),
        ("10^6", 1e6),
        ("10**-2", 0.01),
        ("1.5 \u00d7 10^6", 1.5e6),
        ("1,5*10^{3}", 1500.0),
        ("12\u00b2", 144.0),
        ("\u00b2", None),
        ("1\u00bd", 1.5),
        ("-2\u00bd", -2.5),
        ("3:1", None),
        ("2026-03-10", None),
        ("9" * 400, None),
        ("10^999", None),
        ("5 km/h", 5.0),
        ("5/", 5.0),
        ("1/2.", 0.5),
    ],
)
def test_a_number_is_read_with_what_belongs_to_it(text, number):
    assert first_number(text) == number


@pytest.mark.parametrize(
    "definition",
    [
        {"kind": "numeric", "tolerance": float("inf")},
        {"kind": "latency", "max_ms": float("inf")},
        {"kind": "cost", "max_usd": float("inf")},
        {"kind": "regex", "pattern": "(" * 3000 + ")" * 3000},
        {"kind": "regex", "pattern": "a{99999999999999999999}"},
    ],
)
def test_a_limit_that_everything_keeps_and_a_pattern_without_bounds_are_refused(tmp_path, definition):
    (tmp_path / "criteria.yaml").write_text(json.dumps([{"name": "it", **definition}]).replace("Infinity", ".inf"))
    with pytest.raises(ConfigError, match="criterion 1"):
        criteria_file.load_criteria(tmp_path / "criteria.yaml", tmp_path)


def test_an_integer_of_any_length_is_json(tmp_path):
    assert passed(made(tmp_path, kind="json_valid"), "1" * 5000)
    assert passed(made(tmp_path, {"type": "integer"}), "1" * 5000)
    assert passed(made(tmp_path, kind="json_valid"), "1" * 100_000)


@pytest.mark.parametrize(
    ("step", "answer", "passes"),
    [(0.01, "19.99", True), (0.1, "0.3", True), (0.1, "0.35", False), (3, "9.0", True), (3, "10", False)],
)
def test_multiples_are_those_of_the_decimals_that_are_written(tmp_path, step, answer, passes):
    assert passed(made(tmp_path, {"type": "number", "multipleOf": step}), answer) is passes


@pytest.mark.parametrize(
    ("answer", "passes"),
    [("[1, 1.0]", False), ("[1, true]", True), ('[{"a": 1}, {"a": 1.0}]', False), ('[{"a": 1}, {"a": 2}]', True)],
)
def test_items_are_unique_by_their_values(tmp_path, answer, passes):
    assert passed(made(tmp_path, {"type": "array", "uniqueItems": True}), answer) is passes


def test_unique_items_are_checked_in_linear_time(tmp_path):
    criterion = made(tmp_path, {"type": "array", "uniqueItems": True})
    answer = json.dumps([{"a": n} for n in range(20_000)])
    started = time.process_time()
    assert passed(criterion, answer)
    assert time.process_time() - started < 5


INNER = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}


@pytest.mark.parametrize(
    "wrapped",
    [
        {"text": {"format": {"type": "json_schema", "name": "x", "schema": INNER}}},
        {"name": "f", "description": "d", "input_schema": INNER},
        {"type": "function", "function": {"name": "f", "parameters": INNER}},
        {"name": "f", "parameters": INNER},
        {"generationConfig": {"responseSchema": INNER}},
    ],
)
def test_the_schema_is_found_in_what_apis_take(tmp_path, wrapped):
    criterion = made(tmp_path, wrapped)
    assert passed(criterion, '{"a": 1}') is True
    assert passed(criterion, '{"a": "x"}') is False


@pytest.mark.parametrize(
    "reply",
    [
        '{"reason": "r", "verdict": "no", "verdict": "yes"}',
        '{"reason": "r", "reason": "s", "verdict": "yes"}',
    ],
)
def test_a_reply_that_says_something_twice_is_no_verdict(reply):
    assert judge_prompt.read_verdict("binary", reply) is None


def test_a_tool_call_of_the_pinned_model_is_no_empty_answer_to_be_compared_with():
    row = {"model": "p", "status": "ok", "example_id": "1", "repeat": 0, "output_text": None}
    answers = [row, row | {"example_id": "2", "output_text": ""}, row | {"example_id": "3", "output_text": "a"}]
    assert pinned_answers("p", answers) == {("2", 0): "", ("3", 0): "a"}


@pytest.mark.parametrize("answer", ["\u200b", "\ufeff\n", "\u2060 \u00ad", "\x00"])
@pytest.mark.parametrize(
    "definition", [{"kind": "length", "max_words": 9}, {"kind": "regex", "pattern": "^(?!.*sorry)"}]
)
def test_an_answer_of_invisible_characters_is_empty_and_passes_nothing(tmp_path, definition, answer):
    found = score(made(tmp_path, **definition), Example("1", "v", ()), Response(answer))
    assert (found.passed, found.reason) == (False, "the answer is empty")

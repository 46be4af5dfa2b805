import json
from pathlib import Path

import pytest

from flows.evaluate.criteria import criteria_file
from flows.evaluate.criteria.scorers import Response, score
from flows.evaluate.examples.frozen_holdout import Example
from tests.conftest import SHARED

ANSWERS = SHARED / "data" / "llmdrift" / "happy_numbers.parquet"
BOXED = r"boxed\{([^}]*)\}"
EITHER = r"\\boxed\{(\w)\}|answer: (\w)|answer is \((\w)\)"


def make(folder: Path, **definition):
    path = folder / "criteria.yaml"
    path.write_text(json.dumps([{"name": "it", **definition}]))
    return criteria_file.load_criteria(path, folder)[0]


def outcome(folder, definition, answer, expected=None, **response):
    found = score(make(folder, **definition), Example("1", "v", (), expected), Response(answer, **response))
    return found.passed


@pytest.mark.parametrize(
    ("definition", "expected", "answer", "passed"),
    [
        ({"kind": "exact"}, "Yes", " yes\n", True),
        ({"kind": "exact", "strict": True}, "Yes", "yes", False),
        ({"kind": "exact"}, "Yes", "yes!", False),
        ({"kind": "exact"}, None, "yes", None),
        ({"kind": "exact"}, {"a": 1, "b": 2}, '{"b":2, "a":1}', True),
        ({"kind": "exact"}, {"n": [1, None, {"b": True}]}, '{"n": [1.0, null, {"b": true}]}', True),
        ({"kind": "exact"}, {"urgent": True}, '{"urgent": 1}', False),
        ({"kind": "exact"}, [1, [0]], "[1, [false]]", False),
        ({"kind": "exact"}, [1, 2], "[1, 2, 3]", False),
        ({"kind": "exact"}, {"a": [1]}, '{"b": [1]}', False),
        ({"kind": "exact"}, {"a": [1]}, '{"a": {"1": 1}}', False),
        ({"kind": "exact"}, 7, "7", True),
        ({"kind": "exact", "extract": BOXED}, "\\\\boxed{1}", "so $\\\\boxed{ 1 }$", True),
        ({"kind": "exact", "extract": BOXED}, "1", "first \\boxed{1} then \\boxed{2}", True),
        ({"kind": "exact", "extract": BOXED}, "1", "the answer is 1", False),
        ({"kind": "exact", "extract": r"\[(Yes|No)\]"}, "no", "[No]", True),
        ({"kind": "exact", "extract": "is(.*)"}, "is", "is", True),
        ({"kind": "contains"}, "Berlin", "it is BERLIN.", True),
        ({"kind": "contains"}, "Berlin", "it is Bonn", False),
        ({"kind": "contains", "strict": True}, "Berlin", "berlin", False),
        ({"kind": "regex", "pattern": r"\[(Yes|No)\]"}, None, "so [Yes]", True),
        ({"kind": "regex", "pattern": r"\[(Yes|No)\]"}, None, "so [yes]", False),
        ({"kind": "numeric"}, 1234, "about 1,234.0 in all", True),
        ({"kind": "numeric", "tolerance": 0.1}, "0.2", "0.3", True),
        ({"kind": "numeric", "tolerance": 0.1}, "0.2", "0.31", False),
        ({"kind": "numeric"}, 3, "three", False),
        ({"kind": "numeric"}, "three", "3", None),
        ({"kind": "numeric", "extract": r"total: (\S+)"}, 12, "1 of 3, total: -1.2e1", False),
        ({"kind": "numeric"}, "-5", "it has \u22125 degrees", True),
        ({"kind": "numeric"}, 1, "1\u202f234 items", False),
        ({"kind": "numeric"}, 2, "2,5 Liter", False),
        ({"kind": "exact"}, "caf\u00e9", "Cafe\u0301", True),
        ({"kind": "exact"}, "yes", "\ufeff\u200bYes\u00ad\u00a0", True),
        ({"kind": "exact"}, "Stra\u00dfe 1", "STRASSE\u00a01", True),
        ({"kind": "exact", "strict": True}, "yes", "\u200byes", False),
        ({"kind": "contains"}, "New York", "in new\u00a0york.", True),
        ({"kind": "exact"}, {"City": "Z\u00fcrich"}, '\ufeff{"city": "ZU\u0308RICH"}', True),
        ({"kind": "exact"}, {"a": "x", "A": "y"}, '{"A": "x", "a": "y"}', False),
        ({"kind": "exact"}, ["yes", "yeah"], "Yeah", True),
        ({"kind": "exact"}, ["yes", "yeah"], "no", False),
        ({"kind": "exact"}, [{"a": 1}, {"b": 2}], '{ "b": 2.0 }', True),
        ({"kind": "exact"}, ["a", "b"], '["A", "b"]', True),
        ({"kind": "exact"}, [7, None], "7", True),
        ({"kind": "exact"}, [7, None], "null", False),
        ({"kind": "exact", "strict": True}, ["yes", "Yeah"], "yeah", False),
        ({"kind": "exact", "extract": BOXED}, ["\\boxed{1}", "2"], "so \\boxed{2}", True),
        ({"kind": "contains"}, ["Ulm", "Bonn"], "it is in Bonn", True),
        ({"kind": "contains"}, ["Ulm", "Bonn"], "it is in Graz", False),
        ({"kind": "contains"}, ["", "Bonn"], "it is in Graz", False),
        ({"kind": "contains"}, ["", None], "it is in Graz", None),
        ({"kind": "exact", "extract": EITHER}, "B", "Final answer: B", True),
        ({"kind": "exact", "extract": EITHER}, "B", "the answer is (B)", True),
        ({"kind": "exact", "extract": EITHER}, "B", "so \\boxed{B}.", True),
        ({"kind": "exact", "extract": EITHER}, "answer: B", "the answer is (C)", False),
        ({"kind": "exact", "extract": "x(a)?"}, "a", "x", False),
        ({"kind": "length", "max_chars": 9}, None, " ", False),
        ({"kind": "length", "max_chars": 9}, "", "", True),
        ({"kind": "regex", "pattern": "^(?!.*sorry)"}, None, "", False),
        ({"kind": "regex", "pattern": "^(?!.*sorry)"}, None, None, None),
        ({"kind": "length", "max_chars": 9}, None, None, None),
        ({"kind": "exact"}, "ok", None, None),
        ({"kind": "json_valid"}, None, '\ufeff{"a": 1}', True),
        ({"kind": "json_valid"}, None, ' {"a": [1]} ', True),
        ({"kind": "json_valid"}, None, '```json\n{"a": 1}\n```', False),
        ({"kind": "json_valid"}, None, '{"a": NaN}', False),
        ({"kind": "json_valid"}, None, "[" * 100_000, False),
        ({"kind": "json_valid"}, None, "", False),
        ({"kind": "length", "max_words": 2}, None, "one two", True),
        ({"kind": "length", "max_words": 2}, None, "one two three", False),
        ({"kind": "length", "min_chars": 4}, None, "one", False),
    ],
)
def test_a_criterion_passes_fails_or_cannot_say(tmp_path, definition, expected, answer, passed):
    assert outcome(tmp_path, definition, answer, expected) is passed


def test_latency_and_cost_are_unscored_where_they_are_not_known(tmp_path):
    assert outcome(tmp_path, {"kind": "latency", "max_ms": 100}, "", latency_ms=99.0) is True
    assert outcome(tmp_path, {"kind": "latency", "max_ms": 100}, "") is None
    assert outcome(tmp_path, {"kind": "cost", "max_usd": 0.1}, "", cost_usd=0.2) is False


def test_a_schema_names_the_first_violated_path(tmp_path):
    schema = {"type": "object", "properties": {"items": {"items": {"type": "integer"}}}, "required": ["items"]}
    (tmp_path / "s.json").write_text(json.dumps(schema))
    criterion = make(tmp_path, kind="json_schema", schema="s.json")
    found = score(criterion, Example("1", "v", ()), Response('{"items": [1, "x"]}'))
    assert (found.score, found.passed, found.reason) == (0, False, "$.items[1]: 'x' is not of type 'integer'")
    assert score(criterion, Example("1", "v", ()), Response("{")).reason.startswith("no valid JSON")


def test_a_schema_that_points_to_another_document_is_not_fetched_but_unscored(tmp_path):
    (tmp_path / "s.json").write_text('{"$ref": "http://127.0.0.1:9/x.json"}')
    found = score(make(tmp_path, kind="json_schema", schema="s.json"), Example("1", "v", ()), Response("1"))
    assert found.passed is None
    assert "cannot be applied" in found.reason


def test_a_python_criterion_sees_the_row_and_may_give_a_bool_or_a_share(tmp_path):
    (tmp_path / "my_checks.py").write_text(
        "def told(example, answer):\n    return example['tags']['order'] in answer\n"
        "def half(example, answer):\n    return 0.5\n"
        "def broken(example, answer):\n    return 1 / 0\n"
        "def odd(example, answer):\n    return 'yes'\n"
    )
    example = Example("1", "v", (), row={"tags": {"order": "A7"}})

    def call(name):
        return score(make(tmp_path, kind="python", function=f"my_checks:{name}"), example, Response("order A7"))

    assert call("told").passed is True
    assert (call("half").score, call("half").passed) == (0.5, True)
    assert (call("broken").passed, call("broken").reason) == (
        None,
        "the function raised ZeroDivisionError: division by zero",
    )
    assert call("odd").passed is None


@pytest.mark.skipif(not ANSWERS.exists(), reason="the recorded answers lie beside the repository, in ../shared")
def test_recorded_answers_have_their_known_pass_rates(tmp_path):
    import pyarrow.parquet as pq

    criterion = make(tmp_path, kind="exact", extract=BOXED)
    passed: dict[str, list[bool]] = {}
    for row in pq.read_table(ANSWERS, columns=["model", "ref_answer", "answer"]).to_pylist():
        found = score(criterion, Example("1", "v", (), row["ref_answer"]), Response(row["answer"] or ""))
        passed.setdefault(row["model"].split("/")[-1], []).append(found.passed)
    assert {model: round(sum(ok) / len(ok), 3) for model, ok in passed.items()} == {
        "gpt-4-0314": 0.836,
        "gpt-4-0613": 0.352,
        "gpt-3.5-turbo-0301": 0.306,
        "gpt-3.5-turbo-0613": 0.482,
    }

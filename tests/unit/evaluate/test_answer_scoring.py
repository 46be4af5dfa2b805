"""Answers raw and without their wrapping: what lands, what is counted, and what the estimates say of both."""

from datetime import date

import pytest

from flows.llm.client import Answer
from tests.evaluating import evaluate_night
from tests.unit.evaluate.test_judging import Says, overall, rows, workspace

DAY = date(2026, 5, 4)
FENCED = '```json\n{"queue": 1}\n```'


def evaluate(config, old, new):
    clients = {"openai/old": Says(lambda _: old), "openai/new": Says(lambda _: new)}
    return evaluate_night(config, DAY, f"nightly-{DAY}", lambda model: clients[model.name])


def rates(config):
    return {(row["model"], row["criterion"]): row["pass_rate"] for row in overall(config, "estimates")}


@pytest.fixture
def config(tmp_path):
    (tmp_path / "s.json").write_text('{"type": "object", "required": ["queue"]}')
    return workspace(
        tmp_path, "- {name: valid, kind: json_schema, schema: s.json, severity: critical, min_pass_rate: 0.9}"
    )


def test_a_wrong_wrapping_is_told_from_a_wrong_answer(config):
    evaluate(config, '{"queue": 1}', FENCED)
    assert rates(config) == {
        ("openai/old", "valid"): 1.0,
        ("openai/new", "valid"): 0.0,
        ("openai/old", "valid:unwrapped"): 1.0,
        ("openai/new", "valid:unwrapped"): 1.0,
    }
    raw, bare = overall(config, "comparisons")
    assert (raw["delta"], bare["delta"]) == (-1.0, 0.0)
    assert (bare["severity"], overall(config, "estimates")[2]["min_pass_rate"]) == ("info", None)
    mended = [row for row in rows(config, "scores") if row["criterion"] == "valid:unwrapped"]
    assert {(row["model"], row["passed"], row["reason"]) for row in mended} == {
        ("openai/new", True, "without its code fence")
    }


def test_an_answer_that_is_wrong_inside_its_wrapping_says_what_is_wrong_there(config):
    evaluate(config, '{"queue": 1}', "Sure!\n```json\n{}\n```")
    assert rates(config)["openai/new", "valid:unwrapped"] == 0.0
    assert {row["reason"] for row in rows(config, "scores") if row["criterion"] == "valid:unwrapped"} == {
        "without its code fence and prose around it: $: 'queue' is a required property"
    }


def test_without_a_wrapping_anywhere_nothing_is_reported_twice(config):
    evaluate(config, '{"queue": 1}', "{}")
    assert set(rates(config)) == {("openai/old", "valid"), ("openai/new", "valid")}
    assert {row["criterion"] for row in rows(config, "scores")} == {"valid"}


def test_the_versions_of_a_criterion_and_of_its_unwrapped_one_differ(config):
    evaluate(config, FENCED, FENCED)
    versions = {row["criterion"]: row["criterion_version"] for row in rows(config, "scores")}
    assert len(set(versions.values())) == len(versions) == 2


def test_a_free_answer_loses_only_its_fence_and_a_better_raw_score_is_kept(tmp_path):
    (tmp_path / "checks.py").write_text("def fenced(example, answer):\n    return 0.7 if '```' in answer else 0.2\n")
    config = workspace(tmp_path, "- {name: own, kind: python, function: 'checks:fenced'}")
    evaluate(config, "Set x to [1].", "```\nx\n```")
    found = {(row["model"], row["criterion"]): row["score"] for row in rows(config, "scores")}
    assert found == {("openai/old", "own"): 0.2, ("openai/new", "own"): 0.7, ("openai/new", "own:unwrapped"): 0.7}


@pytest.mark.parametrize(
    ("answer", "passed"),
    [
        (Answer("error", error_type="content_filter", finish_reason="content_filter"), False),
        (Answer("error", error_type="ContextWindowExceededError"), False),
        (Answer("error", error_type="Timeout"), None),
        (Answer("error", error_type="ReplyError"), None),
        (Answer("ok", text=None, output_json='{"tool_calls": []}'), None),
        (Answer("ok", text=""), False),
    ],
)
def test_what_the_model_causes_fails_what_the_provider_causes_is_unscored_and_nothing_passes(tmp_path, answer, passed):
    config = workspace(tmp_path, "- {name: short, kind: length, max_chars: 9}\n- {name: ok, kind: regex, pattern: '^'}")
    clients = {"openai/old": Says(lambda _: "fine"), "openai/new": Says(lambda _: answer)}
    evaluate_night(config, DAY, f"nightly-{DAY}", lambda model: clients[model.name])
    found = {row["passed"] for row in rows(config, "scores") if row["model"] == "openai/new"}
    assert found == {passed}

"""`genchi compare`: who is compared, and how the verdict reads."""

import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

from flows.cli import compare_report
from flows.cli.compare_report import Result
from flows.config import load
from flows.errors import ConfigError
from flows.evaluate.examples.frozen_holdout import Example
from flows.evaluate.setup.model_pair import ModelPair
from flows.evaluate.setup.task import sample

DAY = date(2026, 5, 4)


@pytest.fixture
def settings(tmp_path: Path) -> load.Config:
    for name in ("h.jsonl", "c.yaml"):
        (tmp_path / name).touch()
    (tmp_path / "genchi.yaml").write_text(
        "app: a\nlake: lake\nroutes:\n  triage: {holdout: h.jsonl, criteria: c.yaml, repeats: 3}\n  chat: {}\n"
        "models:\n  pinned: {model: openai/old}\n"
        "  candidates: [{model: openai/new, prompts: [v1], api_key: hush, routes: [triage]}]\n"
    )
    return load.load_config(tmp_path / "genchi.yaml")


def test_configured_names_and_litellm_strings_are_models(settings: load.Config) -> None:
    narrowed = ModelPair("openai/new @ v1", "mistral/anything", "triage", repeats=1, limit=20).narrowed(settings)
    old, new = narrowed.all_models()
    assert (old.name, old.model, old.prompt_version) == ("openai/new @ v1", "openai/new", "v1")
    assert (new.name, new.model, new.prompt_version) == ("mistral/anything", "mistral/anything", None)
    assert list(narrowed.routes) == ["triage"]
    assert (narrowed.routes["triage"].repeats, narrowed.routes["triage"].limit) == (1, 20)
    assert settings.routes["triage"].repeats == 3


def test_a_run_is_named_by_what_it_asks_and_by_no_key(settings: load.Config) -> None:
    pair = ModelPair("openai/old", "openai/new @ v1", "triage")
    name = pair.run_id(settings, DAY)
    assert name.startswith("compare-")
    assert pair.run_id(settings, DAY) == name
    settings.path.write_text(settings.path.read_text().replace("hush", "another"))
    assert pair.run_id(load.load_config(settings.path), DAY) == name
    assert pair.run_id(settings, date(2026, 5, 5)) != name
    assert ModelPair("openai/old", "openai/new @ v1", "triage", repeats=1).run_id(settings, DAY) != name


@pytest.mark.parametrize(
    ("pair", "complaint"),
    [
        (
            ModelPair("openai/old", "openai-new", "triage"),
            "--candidate openai-new: .* did you mean `openai/new",
        ),
        (ModelPair("opnai/old", "openai/new @ v1", "triage"), "--pinned opnai/old: .* did you mean `openai/old`?"),
        (ModelPair("openai/old", "openai", "triage"), "nor known to litellm"),
        (ModelPair("openai/old", "openai/x", "triagee"), "--route triagee: .* did you mean `triage`?"),
        (ModelPair("openai/old", "openai/x", "chat"), "--route chat: not a route of .* with a holdout and criteria"),
        (ModelPair("openai/old", "openai/old", "triage"), "is the pinned model; choose another"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(settings: load.Config, pair: ModelPair, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint) as caught:
        pair.narrowed(settings)
    assert "\n" not in str(caught.value)


def test_a_limit_takes_the_same_examples_every_time_and_keeps_their_order() -> None:
    examples = [Example(str(n), "v", ()) for n in range(100)]
    few = sample(examples, 10)
    assert len(few) == 10
    assert few == [example for example in examples if example in few] != examples[:10]
    assert sample(examples[::-1], 10) == few[::-1]
    assert all(example in few for example in sample(examples, 9))
    assert sample(examples, None) is sample(examples, 100) is examples


def result(**changes: object) -> Result:
    row = {
        **{"criterion": "right", "severity": "critical", "pinned": "old", "candidate": "new", "route": "triage"},
        **{"pinned_rate": 0.836, "candidate_rate": 0.352, "delta": -0.484, "ci_low": -0.535, "ci_high": -0.43},
        **{
            "is_graded": False,
            "q_value": 0.0004,
            "verdict": "worse",
            "minimum_detectable": 0.075,
            "n_examples": 1500,
            "n_unscored": 2,
            "n_unanswered": 0,
        },
    }
    part = {"slice": "language=de", "q_value": 0.01, "criterion": "right", "delta": -0.6, "n_examples": 40}
    found = {"slices": [part | {"ci_low": -0.7, "ci_high": -0.5}], "regressed": {"right": list("abcdefg")}}
    return Result("compare-1", [{**row, **changes}], found["slices"], [], found["regressed"])


def shown(found: Result, terminal: bool) -> str:
    file = io.StringIO()
    compare_report.show(found, Console(file=file, force_terminal=terminal, width=80, color_system=None))
    return file.getvalue()


def test_in_a_log_the_verdict_is_a_line_a_criterion() -> None:
    assert shown(result(), terminal=False).splitlines() == [
        "worse: right (critical): new 35.2 %, old 83.6 % (pinned), difference -48.4 points"
        " (95 % interval -53.5 to -43.0), q-value 0.000, minimum detectable effect 7.5 points, 1,500 examples,"
        " 2 unscored",
        "worse on slice language=de: right: difference -60.0 points (95 % interval -70.0 to -50.0), q-value 0.010,"
        " 40 examples",
        "regressed examples: right: a, b, c, d, e and 2 more",
        "run_id compare-1",
    ]


def test_on_a_terminal_it_is_a_table_of_eighty_columns() -> None:
    lines = shown(result(criterion="answers_in_german"), terminal=True).splitlines()
    assert lines[0].strip() == "new against old (pinned), route triage"
    assert max(len(line.rstrip()) for line in lines if "on slice" not in line) <= 80
    (row,) = [line.split() for line in lines if "-48.4" in line]
    assert row[1:] == ["83.6", "%", "35.2", "%", "-48.4", "worse", "7.5", "1,500", "2"]
    assert "answers_in_german" in "".join(line.split("  ")[0].strip() for line in lines)


def test_what_is_unknown_is_a_dash() -> None:
    unknown = dict.fromkeys(("pinned_rate", "candidate_rate", "delta", "ci_low", "ci_high", "q_value"))
    found = result(**unknown, verdict="insufficient", minimum_detectable=None, n_examples=0)
    assert shown(found, terminal=False).startswith(
        "insufficient: right (critical): new -, old - (pinned), difference - points (95 % interval - to -),"
        " q-value -, minimum detectable effect - points, 0 examples, 2 unscored"
    )
    (row,) = [line.split() for line in shown(found, terminal=True).splitlines() if "insufficient" in line]
    assert row == ["right", "-", "-", "-", "insufficient", "-", "0", "2"]


def test_what_a_test_set_or_a_model_is_called_is_neither_markup_nor_a_command_to_the_terminal() -> None:
    found = result(criterion="[red]\x1b[2J")
    assert "[red]\\x1b[2J (critical)" in shown(found, terminal=False)
    assert "[red]\\x1b[2J" in shown(found, terminal=True)


def test_what_was_left_unanswered_is_told_with_its_worst_case() -> None:
    bounds = {"n_unanswered": 12, "ci_low_worst": -0.08, "ci_high_worst": 0.03, "open_because": "unanswered"}
    lines = shown(result(verdict="insufficient", **bounds), terminal=False).splitlines()
    assert lines[1] == (
        "unanswered by new: right: 12 examples that the pinned model answered; if all of these were wrong, the interval"
        " would begin at -8.0 points; if all were right, it would end at +3.0; this leaves the verdict open"
    )


def test_why_there_is_no_answer_is_told_in_the_providers_words() -> None:
    refused = {"model": "new", "error_class": "context_length", "n_answers": 3, "is_own_failure": True}
    found = replace(result(), failures=[refused | {"error_message": "8192 tokens at most"}])
    assert shown(found, terminal=False).splitlines()[1] == (
        "no answer from new: context_length: 3 requests (failed): 8192 tokens at most"
    )


def test_a_graded_criterion_is_told_by_its_means() -> None:
    graded = {"is_graded": True, "pinned_mean": 0.95, "candidate_mean": 0.55}
    assert "new mean 0.55, old mean 0.95 (pinned)" in shown(result(**graded), terminal=False)


def test_only_a_worse_critical_criterion_is_critical() -> None:
    assert result().is_critical
    assert not result(severity="warning").is_critical
    assert not result(verdict="insufficient").is_critical

"""The suites on a small lake and a hand-made warehouse. Great Expectations is imported once, by the first test."""

import ast
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.config import thresholds
from flows.config.load import Config, Model, Models, Route, Source
from flows.errors import RunError
from flows.lake import lake
from flows.lake.lake import Lake
from flows.project import ROOT
from tests.unit.report import incidents

pytestmark = pytest.mark.filterwarnings(
    # great_expectations 1.24 imports them, for itself
    r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning"
)

DAY = date(2026, 3, 2)
RUN = f"nightly-{DAY}"
HOSTILE = "<script>alert(1)</script> ${x} <meta http-equiv=refresh>"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    for name in ("holdout.jsonl", "criteria.yaml"):
        (tmp_path / name).touch()
    return Config(
        path=tmp_path / "genchi.yaml",
        app="desk",
        lake=tmp_path / "lake",
        sources=(
            Source(name="gateway", format="genchi", path="logs/*"),
            Source(name="batch", format="genchi", path="b/*"),
        ),
        routes={"triage": Route(holdout=tmp_path / "holdout.jsonl", criteria=tmp_path / "criteria.yaml", repeats=2)},
        models=Models(pinned=Model(model="old"), candidates=(Model(model="new"),)),
        warehouse=tmp_path / "warehouse.duckdb",
        reports=tmp_path / "reports",
    )


def write(config: Config, table: str, rows: list[dict[str, Any]], file: str = "data") -> None:
    Lake(config.lake).write(table, DAY, lake.from_rows(rows, table), file)


def call(n: int, source: str = "gateway", **changed: Any) -> dict[str, Any]:
    usual = {
        "call_id": f"{source}-{n}",
        "source": source,
        "output_text": "yes",
        "status": "success",
        "output_tokens": 3,
    }
    return usual | {"started_at": datetime(2026, 3, 2, 8, tzinfo=UTC)} | changed


def example(n: int, **changed: Any) -> dict[str, Any]:
    return {"set": "holdout", "route": "triage", "example_id": str(n), "input_text": f"question {n}"} | changed


def answer(model: str, n: int, repeat: int, **changed: Any) -> dict[str, Any]:
    usual = {"run_id": RUN, "model": model, "route": "triage", "example_id": str(n), "repeat": repeat}
    return usual | {"status": "ok", "output_text": "42", "response_id": f"{model}-{n}-{repeat}"} | changed


def score(model: str, n: int, repeat: int, value: float | None = 1.0) -> dict[str, Any]:
    usual = {"subject": "completion", "subject_id": f"{model}/{n}/{repeat}", "criterion": "correct", "run_id": RUN}
    return usual | {"model": model, "example_id": str(n), "repeat": repeat, "route": "triage", "score": value}


def marts(config: Config, found: list[tuple[str, str, str, str]] = [], compared: bool = True) -> None:  # noqa: B006 - never changed
    """The marts of verdicts; `found` are incidents by id, severity, state and title."""
    config.warehouse.unlink(missing_ok=True)
    connection = duckdb.connect(str(config.warehouse))
    connection.execute("create schema marts")
    connection.execute(f"create table marts.fct_incidents ({incidents.TABLE})")
    connection.execute(
        "create table marts.fct_model_comparisons (day date, run_id varchar, candidate varchar, route varchar,"
        " criterion varchar, verdict varchar, n_examples bigint)"
    )
    for incident_id, severity, state, title in found:
        row = incidents.incident(DAY, incident_id, severity, title, state=state, summary="By 40 points.")
        marks = ", ".join("?" * len(row))
        connection.execute(f"insert into marts.fct_incidents ({', '.join(row)}) values ({marks})", list(row.values()))
    if compared:
        connection.execute(
            "insert into marts.fct_model_comparisons values (?, ?, 'new', 'triage', 'correct', 'not_worse', 10)",
            [DAY, RUN],
        )
    connection.close()


def healthy(config: Config) -> None:
    questions = range(10)
    write(config, "interactions", [call(n, source) for source in ("gateway", "batch") for n in range(20)])
    write(config, "examples", [example(n) for n in questions])
    asked = [(model, n, repeat) for model in ("old", "new") for n in questions for repeat in range(2)]
    write(config, "completions", [answer(*one) for one in asked], RUN)
    write(config, "scores", [score(*one) for one in asked], RUN)
    marts(config)


def check(config: Config, suite: str | None = None) -> dict[tuple[str, str, str], Any]:
    """What a night finds, by key; of one suite alone, which is quicker, where it is named."""
    from expectations import checkpoints, results, validate

    if suite is None:
        found = validate.validate(config, DAY)
    else:
        (module,) = (one for one in validate.applicable(config) if suite == one.NAME)
        frame = module.frame(config, DAY)
        run = checkpoints.run(checkpoints.new_context(), module.suite(config), frame)
        found = tuple(results.read(suite, frame, run))
    by_key = {(row.suite, row.expectation, row.subject): row for row in found}
    assert len(by_key) == len(found)
    return by_key


def failures(config: Config, suite: str | None = None) -> dict[tuple[str, str, str], str]:
    return {key: row.severity for key, row in check(config, suite).items() if not row.success}


def test_a_healthy_night_passes_every_expectation_and_says_what_it_saw(
    config: Config, capfd: pytest.CaptureFixture[str]
) -> None:
    healthy(config)
    found = check(config)
    assert [row for row in found.values() if not row.success] == []
    assert {suite for suite, _, _ in found} == {"landed_logs", "holdout", "eval_outputs", "verdicts"}
    assert found["landed_logs", "calls_landed", "batch"].observed == "20 calls in 0 files"
    assert found["eval_outputs", "pinned_examples_asked", "triage/old"].observed == "20 of 20 requested"
    assert found["verdicts", "no_critical_incident", "*"].observed == "no critical incident"
    assert Lake(config.lake).read("expectation_results", DAY).num_rows == len(found)
    assert capfd.readouterr() == ("", "")


def test_a_missing_day_fails_critically_for_every_source_and_for_the_evaluation(config: Config) -> None:
    marts(config, compared=False)
    failed = failures(config)
    assert failed == {
        ("landed_logs", "calls_landed", "gateway"): "critical",
        ("landed_logs", "calls_landed", "batch"): "critical",
        ("holdout", "examples_present", "triage"): "critical",
        ("eval_outputs", "pinned_examples_asked", "triage/old"): "critical",
        ("eval_outputs", "candidate_examples_asked", "triage/new"): "warning",
        ("verdicts", "candidates_compared", "triage/new"): "warning",
    }


def test_without_sources_models_and_warehouse_no_suite_applies(config: Config) -> None:
    bare = config.model_copy(update={"sources": (), "models": None})
    assert check(bare) == {}
    assert "No suite applies" in (config.reports / str(DAY) / "data_docs" / "index.html").read_text()


@pytest.mark.parametrize(
    ("risk", "severities"), [("strict", {"critical", "warning"}), ("standard", {"warning"}), ("relaxed", {"warning"})]
)
def test_the_risk_decides_how_many_records_may_be_in_quarantine(
    config: Config, risk: str, severities: set[str]
) -> None:
    healthy(config)
    bad = [{"source": "batch", "file": "f", "line": n, "reason": "not valid JSON", "raw": "{"} for n in range(6)]
    write(config, "quarantine", bad)
    write(config, "manifest", [{"source": "batch", "file": "f", "records": 100, "feedback": 0}])
    found = check(config.model_copy(update={"risk": risk}), "landed_logs")
    assert {row.severity for row in found.values() if not row.success} == severities
    limit = {"strict": "5 %", "standard": "10 %", "relaxed": "20 %"}[risk]
    assert found["landed_logs", "records_readable", "batch"].expected == f"at most {limit} of the records in quarantine"


@pytest.mark.parametrize("suite", ["landed_logs", "holdout", "eval_outputs", "verdicts", "reviewing"])
def test_no_suite_has_a_bare_number_as_its_threshold(suite: str) -> None:
    tree = ast.parse((ROOT / "expectations" / f"{suite}.py").read_text(encoding="utf-8"))
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "suite")
    constants = [node.value for node in ast.walk(function) if isinstance(node, ast.Constant)]
    assert constants
    assert [value for value in constants if isinstance(value, int | float) and not isinstance(value, bool)] == []


def test_every_level_of_risk_has_every_threshold() -> None:
    strict, standard, relaxed = (thresholds(risk) for risk in ("strict", "standard", "relaxed"))
    assert strict.keys() == standard.keys() == relaxed.keys()
    for name in ("quarantined", "silent", "error", "unscored", "empty"):
        assert strict[f"max_{name}_share"] < standard[f"max_{name}_share"] < relaxed[f"max_{name}_share"]


def test_quarantine_warns_above_one_per_cent_and_is_critical_above_ten(config: Config) -> None:
    healthy(config)
    write(config, "manifest", [{"source": "gateway", "file": "a", "records": 100}, {"source": "batch", "records": 100}])
    few = [{"source": "gateway", "file": "a", "line": n, "reason": "no JSON", "raw": "{"} for n in range(2)]
    many = [row | {"source": "batch", "line": n} for n, row in enumerate(few * 6)]
    write(config, "quarantine", few + many)
    found = check(config, "landed_logs")
    assert {key[1:]: row.severity for key, row in found.items() if not row.success} == {
        ("records_readable", "batch"): "critical",
        ("nearly_all_records_readable", "batch"): "warning",
        ("nearly_all_records_readable", "gateway"): "warning",
    }
    assert found["landed_logs", "records_readable", "batch"].observed == "12 of 100 records quarantined (12.0%)"


def test_records_with_unreadable_values_warn_above_one_per_cent(config: Config) -> None:
    healthy(config)
    gateway = {"source": "gateway", "file": "a", "records": 100}
    write(config, "manifest", [gateway | {"incomplete": 1}, {"source": "batch", "records": 100, "incomplete": 2}])
    found = check(config, "landed_logs")
    failed = {key: row for key, row in found.items() if not row.success}
    assert {key: row.severity for key, row in failed.items()} == {
        ("landed_logs", "values_readable", "batch"): "warning"
    }
    (row,) = failed.values()
    assert row.observed == "2 of 100 records with a value that cannot be read (2.0%)"


def test_calls_that_answer_nothing_are_told_from_tool_calls_refusals_and_errors(config: Config) -> None:
    healthy(config)
    message = {"role": "assistant", "content": None}
    whole = [message | {"tool_calls": [{"id": "1"}]}, message | {"refusal": "no"}, {"answer": 4}]
    rows = [call(n, output_text=None, output_json=json.dumps(one)) for n, one in enumerate(whole)]
    rows += [
        call(9, output_text=None, status="error"),
        call(10, "batch", output_text=" ", output_json=json.dumps(message)),
    ]
    write(config, "interactions", [*rows, *(call(n) for n in range(20, 30)), *(call(n, "batch") for n in range(9))])
    assert failures(config, "landed_logs") == {("landed_logs", "answers_have_text", "batch"): "warning"}


def test_repeated_ids_negative_tokens_and_missing_times_are_seen(config: Config) -> None:
    healthy(config)
    rows = [call(1), call(1), call(2, output_tokens=-1), call(3, started_at=None), call(1, "batch")]
    write(config, "interactions", rows)
    assert {name: severity for (_, name, _), severity in failures(config, "landed_logs").items()} == {
        "call_ids_unique": "critical",
        "times_present": "critical",
        "tokens_not_negative": "warning",
    }


def test_a_holdout_of_five_hundred_distinct_questions_passes_clean(config: Config) -> None:
    healthy(config)
    write(config, "examples", [example(n) for n in range(500)])
    assert failures(config, "holdout") == {}


def test_an_image_alone_is_an_input(config: Config) -> None:
    healthy(config)
    parts = [{"type": "image_url", "image_url": {"url": "https://a.example/1.png"}}]
    image = example(1, input_text="", messages_json=json.dumps([{"role": "user", "content": parts}]))
    words = example(2, input_text="", messages_json=json.dumps([{"role": "user", "content": '"image"'}]))
    write(config, "examples", [example(0), image, words, *(example(n) for n in range(3, 10))])
    found = check(config, "holdout")["holdout", "inputs_not_empty", "triage"]
    assert json.loads(found.evidence_json)["empty_ids"] == ["2"]


def test_repeated_and_empty_examples_are_named(config: Config) -> None:
    healthy(config)
    write(config, "examples", [example(1), example(1), example(2, input_text=" "), example(3)])
    found = check(config, "holdout")
    assert json.loads(found["holdout", "example_ids_unique", "triage"].evidence_json)["repeated_ids"] == ["1"]
    assert json.loads(found["holdout", "inputs_not_empty", "triage"].evidence_json)["empty_ids"] == ["2"]
    assert not found["holdout", "inputs_not_empty", "triage"].success


def test_a_provider_that_is_down_leaves_its_answers_unscored(config: Config) -> None:
    healthy(config)
    asked = [(model, n, repeat) for model in ("old", "new") for n in range(10) for repeat in range(2)]
    write(
        config,
        "completions",
        [answer(*one, status="error", error_class="timeout", output_text=None, response_id=None) for one in asked],
        RUN,
    )
    write(config, "scores", [score(*one, None) for one in asked], RUN)
    found = check(config, "eval_outputs")
    assert {key[1:]: row.severity for key, row in found.items() if not row.success} == {
        ("pinned_answers_scored", "triage/old"): "critical",
        ("candidate_answers_scored", "triage/new"): "warning",
    }
    assert found["eval_outputs", "pinned_answers_scored", "triage/old"].observed == (
        "100.0% unscored by correct (requests without an answer: timeout 20)"
    )


def test_a_run_that_stopped_halfway_repeats_ids_or_answers_nothing_is_seen(config: Config) -> None:
    healthy(config)
    rows = [answer("old", n, 0, response_id="same", output_text="") for n in range(5)]
    write(config, "completions", rows, RUN)
    write(config, "scores", [score("old", n, 0) for n in range(5)], RUN)
    assert {name: severity for (_, name, _), severity in failures(config, "eval_outputs").items()} == {
        "pinned_examples_asked": "critical",
        "candidate_examples_asked": "warning",
        "response_ids_distinct": "warning",
        "answers_not_empty": "warning",
    }


def test_each_incident_that_goes_on_is_a_failure_and_each_that_is_over_is_told(config: Config) -> None:
    healthy(config)
    marts(
        config,
        [
            ("i-1", "critical", "open", "JSON objects fell"),
            ("i-2", "critical", "ongoing", "Answers are slow"),
            ("i-3", "warning", "open", "Answers grew"),
            ("i-4", "info", "open", "A candidate is worse"),
            ("i-5", "critical", "recovered", "It was down"),
            ("i-6", "warning", "settled", "Inputs are German"),
        ],
    )
    found = check(config, "verdicts")
    failed = {(name, subject): row for (_, name, subject), row in found.items() if not row.success}
    assert set(failed) == {
        ("no_critical_incident", "i-1"),
        ("no_critical_incident", "i-2"),
        ("no_warning_incident", "i-3"),
    }
    slow = failed["no_critical_incident", "i-2"]
    assert (slow.severity, slow.observed) == ("critical", "Answers are slow. By 40 points.")
    evidence = json.loads(slow.evidence_json)
    assert (evidence["state"], evidence["title"], evidence["routes"]) == ("ongoing", "Answers are slow", ["triage"])
    over = {subject: row for (_, name, subject), row in found.items() if name == "incident_over"}
    assert {subject: json.loads(row.evidence_json)["state"] for subject, row in over.items()} == {
        "i-5": "recovered",
        "i-6": "settled",
    }
    assert all(row.success for row in over.values())


def test_marts_that_are_missing_stop_the_run_in_one_line(config: Config) -> None:
    duckdb.connect(str(config.warehouse)).close()
    with pytest.raises(RunError, match=r"fct_incidents.*genchi transform") as caught:
        check(config, "verdicts")
    assert "\n" not in str(caught.value)


def test_an_expectation_that_raises_is_a_critical_failure() -> None:
    import great_expectations as gx
    import pandas as pd

    from expectations import results
    from expectations.checkpoints import new_context, run
    from expectations.vocabulary import Words, at_most

    words = Words("never_there", "nothing", "{absent}")
    frame = pd.DataFrame({"subject": ["a"], "calls": [1]})
    suite = gx.ExpectationSuite(name="broken", expectations=[at_most("absent", 1, "info", words)])
    (row,) = results.read("broken", frame, run(new_context(), suite, frame))
    assert (row.subject, row.success, row.severity) == ("*", False, "critical")
    assert row.observed.startswith("could not be checked: ")
    assert "absent" in row.observed


def test_the_same_night_twice_gives_the_same_results_and_pages(config: Config) -> None:
    healthy(config)
    marts(config, [("i-1", "critical", "open", "It fell")])
    docs = config.reports / str(DAY) / "data_docs"
    first = check(config)
    pages = {path.name: path.read_text() for path in docs.iterdir()}
    (docs / "left_over.html").touch()
    assert check(config) == first
    assert {path.name: path.read_text() for path in docs.iterdir()} == pages
    assert set(pages) == {
        "index.html",
        "landed_logs.html",
        "holdout.html",
        "eval_outputs.html",
        "verdicts.html",
        "nights.html",
    }
    assert [path.name for path in docs.parent.iterdir()] == ["data_docs"]


def test_data_docs_load_nothing_run_nothing_and_show_hostile_text_as_text(config: Config) -> None:
    healthy(config)
    marts(config, [(f"triage/{HOSTILE}", "critical", "open", f"It fell {HOSTILE}")])
    hostile = config.model_copy(update={"app": HOSTILE})
    check(hostile)
    pages = [path.read_text() for path in (config.reports / str(DAY) / "data_docs").iterdir()]
    for page in pages:
        assert "default-src 'none'" in page
        assert not re.search(r"<script|<link|<img|<meta http-equiv=refresh|https?://|src=", page)
    assert any("&lt;script&gt;alert(1)&lt;/script&gt; ${x}" in page and "It fell" in page for page in pages)


def test_refused_requests_are_told_with_the_providers_words(config: Config) -> None:
    healthy(config)
    asked = [(model, n, repeat) for model in ("old", "new") for n in range(10) for repeat in range(2)]
    refused = {"status": "error", "error_class": "refused_request", "error_message": "no such parameter: top_k"}
    write(config, "completions", [answer(*one, **(refused if one[0] == "new" else {})) for one in asked], RUN)
    found = check(config, "eval_outputs")
    failed = {key[1:]: row.observed for key, row in found.items() if not row.success}
    assert failed == {
        ("requests_accepted", "triage/new"): (
            "20 of 20 requests refused, which counts as failed answers: no such parameter: top_k"
        )
    }


def test_a_candidate_or_a_judge_that_cannot_be_asked_is_told_with_its_variable(config: Config) -> None:
    healthy(config)
    asked = [(model, n, repeat) for model in ("old", "new") for n in range(10) for repeat in range(2)]
    why = "not sent: the environment variable KEY is not set; set it"
    unsent = {"status": "error", "error_class": "not_sent", "error_message": why, "response_id": None}
    write(config, "completions", [answer(*one, **(unsent if one[0] == "new" else {})) for one in asked], RUN)
    write(config, "scores", [{**score(*one, None), "reason": f"not judged: {why}"} for one in asked], RUN)
    found = check(config, "eval_outputs")
    failed = {key[1:]: row.observed for key, row in found.items() if not row.success}
    assert failed == {
        (
            "candidate_answers_scored",
            "triage/new",
        ): f"100.0% unscored by correct (requests without an answer: 20 {why})",
        ("pinned_answers_scored", "triage/old"): f"100.0% unscored by correct (not judged: {why})",
    }


def test_a_candidate_of_which_nothing_could_be_compared_has_no_verdict(config: Config) -> None:
    healthy(config)
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute("update marts.fct_model_comparisons set n_examples = 0")
    assert not check(config, "verdicts")["verdicts", "candidates_compared", "triage/new"].success

"""What a build makes of a small lake."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.config.load import Config
from flows.errors import RunError
from flows.lake.lake import Lake, from_rows
from flows.marts import lake_tables
from flows.project import DBT_PROJECT
from flows.transform.build import build, variables
from flows.transform.dbt_runner import run_dbt
from flows.warehouse import query

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 4)
NIGHT = {"run_id": "nightly-2026-03-04", "route": "triage", "criterion": "correct", "severity": "critical"}
HOSTILE = [
    "'; drop table x; --",
    '{"a": {{ var("lake") }} }',
    "{% raw %}",
    "\\",
    "a\x01\x02\ufffd",
    "[" * 5000,
    "x" * 1_000_000,
]


def workspace(root: Path) -> Config:
    return Config(
        path=root / "genchi.yaml", app="test", lake=root / "lake", warehouse=root / "lake" / "warehouse.duckdb"
    )


def call(day: date, number: int, **changes: Any) -> dict[str, Any]:
    """A call of the route triage that answers with a JSON object, on the last day with a list."""
    answer = '[{"category": "refund"}]' if day == LAST else '{"category": "refund"}'
    row = {
        "call_id": f"{day}-{number}",
        "route": "triage",
        "model_served": "steady" if number % 2 else "chatty",
        "prompt_version": "v1",
        "input_text": "Where is my refund?",
        "output_text": answer,
        "started_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        "status": "success",
        "finish_reason": "stop",
        "latency_ms": 100.0 * (number + 1),
        "input_tokens": 10,
        "cost_usd": 0.1,
    }
    return {**row, **changes}


def calls(day: date) -> list[dict[str, Any]]:
    """Forty ordinary calls and, of the model chatty, ten with a code fence; and some that do not count."""
    fenced = "Sure:\n```json\n{}\n```"
    return [
        *(call(day, number) for number in range(40)),
        *(call(day, number, output_text=fenced, model_served="chatty") for number in range(40, 50)),
        call(day, 50, status="error", output_text="Error: 500", model_served=None),
        call(day, 51, cache_hit=True),
        call(day, 52, is_shadow=True),
        call(day, 53, output_text="I cannot help with that.", finish_reason="length", route="chat", model_served=None),
        *(
            call(day, 100 + n, route="hostile", input_text=t, output_text=t)
            for n, t in enumerate(HOSTILE)
            if day == LAST
        ),
    ]


def example(number: int, route: str | None) -> dict[str, Any]:
    return {
        "set": "dev",
        "route": route,
        "example_id": f"{route}-{number}",
        "input_text": "Where is my refund?",
        "expected_text": '{"category": "refund"}' if route else "a label, which is no model for an answer's form",
        "expected_json": '{"category": "refund"}' if route else '"a label, which is no model for an answer\'s form"',
    }


def comparison(candidate: str, part: str, **changes: Any) -> dict[str, Any]:
    numbers = {"n_examples": 500, "n_unscored": 0, "delta": -0.1, "ci_low": -0.15, "ci_high": -0.05, "p_value": 0.001}
    return {**NIGHT, "pinned": "old", "candidate": candidate, "slice": part, "q_value": 0.002, **numbers, **changes}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A workspace of four days, built in one go. Its path holds what SQL, globs and templates take for theirs."""
    config = workspace(tmp_path_factory.mktemp("work") / "it's [a] $lake*")
    lake = Lake(config.lake)
    for day in (FIRST, date(2026, 3, 2), date(2026, 3, 3), LAST):
        lake.write("interactions", day, from_rows(calls(day), "interactions"))
        examples = [example(number, route) for route in ("triage", None) for number in range(100)]
        lake.write("examples", day, from_rows(examples, "examples"))
    scores = [
        {"subject": "interaction", "subject_id": f"{LAST}-{n}", "criterion": "output_schema", "passed": n < 7}
        for n in range(40)
    ]
    lake.write("scores", LAST, from_rows(scores, "scores"), f"production-{LAST}")
    estimate = {
        **NIGHT,
        "model": "old",
        "arm": "pinned",
        "slice": "*",
        "n_examples": 500,
        "n_repeats": 1,
        "n_unscored": 0,
    }
    low = {"pass_rate": 0.61, "ci_low": 0.57, "ci_high": 0.65, "min_pass_rate": 0.8}
    unscored = {"criterion": "polite", "n_unscored": 500, "min_pass_rate": 0.8}
    lake.write("estimates", LAST, from_rows([{**estimate, **low}, {**estimate, **unscored}], "estimates"), "nightly")
    wide = {"delta": -0.1, "ci_high": 0.3, "q_value": 0.5, "standard_error": 0.1, "repeat_share": 0.9, "n_repeats": 2}
    compared = [
        comparison("new", "*"),
        comparison("newer", "*", **wide),
        comparison("newer", "language=de", delta=-0.3, ci_low=-0.4, ci_high=-0.2),
        comparison("new", "*", run_id="compare-abc"),
    ]
    lake.write("comparisons", LAST, from_rows(compared, "comparisons"), "nightly")
    land_answers(lake)
    build(config, FIRST, LAST)
    return config


def land_answers(lake: Lake) -> None:
    """Two nights of two models: what passes (1), fails (0) or is unscored (None), by example and repeat."""
    nights: dict[date, dict[str, dict[str, list[int | None]]]] = {
        date(2026, 3, 3): {"old": {"steady": [1, 1, 1], "slips": [1, 1, 1], "down": [1, 1, 1]}},
        LAST: {
            "old": {"steady": [1, 1, 1], "slips": [1, 0, 1], "down": [None] * 3, "mended": [0, 0, 0]},
            "new": {"steady": [1, 1, 1], "slips": [0, 0, None], "down": [1, 1, 1], "mended": [1, 1, 0]},
        },
    }
    for day, models in nights.items():
        run_id = f"nightly-{day}"
        answers = [
            {"run_id": run_id, "model": model, "route": "triage", "example_id": example, "repeat": n, "passed": passed}
            for model, examples in models.items()
            for example, passes in examples.items()
            for n, passed in enumerate(passes)
        ]
        told = [
            {**{k: v for k, v in row.items() if k != "passed"}, "output_text": f"{row['model']} {row['repeat']}",
             "arm": "pinned" if row["model"] == "old" else "candidate"}
            for row in answers
        ]  # fmt: skip
        scored = [
            {**row, "subject": "completion", "subject_id": str(n), "criterion": "correct", "reason": "because"}
            | {"passed": None if row["passed"] is None else bool(row["passed"])}
            for n, row in enumerate(answers)
        ]
        lake.write("completions", day, from_rows(told, "completions"), run_id)
        lake.write("scores", day, from_rows(scored, "scores"), run_id)
    for n, (name, p_value) in enumerate([("m-1", None), ("m-1", 0.5), (None, None), ("m-2", 0.001)]):
        day = date(2026, 3, 1 + n)
        canary = {"run_id": f"nightly-{day}", "model": "old", "n_prompts": 100, "n_answers": 600, "p_value": p_value}
        names = {"served_names": [name, "m-0"][: 1 + (n == 0)] if name else [], "fingerprints": ["fp"] if name else []}
        lake.write("canaries", day, from_rows([{**canary, **names}], "canaries"), f"nightly-{day}")


def rows(config: Config, sql: str) -> list[dict[str, Any]]:
    return query(config.warehouse, sql)


def skew(config: Config, feature: str, **where: str) -> dict[str, Any]:
    """One row of fct_feature_skew_daily, of the last day's outputs unless told otherwise."""
    keys = {"day": str(LAST), "route": "triage", "side": "output", "reference": "trailing"}
    keys |= {"model_served": "*", "prompt_version": "*", "feature": feature} | where
    condition = " and ".join(f"{name} = ?" for name in keys)
    sql = f"select * from marts.fct_feature_skew_daily where {condition}"
    (row,) = query(config.warehouse, sql, list(keys.values()))
    return row


def snapshot(config: Config) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, in order."""
    tables = rows(
        config,
        "select table_schema || '.' || table_name as name from information_schema.tables where table_schema"
        " in ('marts', 'intermediate', 'seeds') order by name",
    )
    return {table["name"]: rows(config, f"select * from {table['name']} order by all") for table in tables}


def test_the_share_with_a_code_fence_is_known_for_each_model(config: Config) -> None:
    assert skew(config, "code_fence", model_served="chatty")["value_current"] == pytest.approx(10 / 30)
    assert skew(config, "code_fence", model_served="steady")["value_current"] == 0
    assert skew(config, "code_fence")["value_current"] == pytest.approx(10 / 50)


def test_the_trailing_reference_is_the_days_before_without_the_day_itself(config: Config) -> None:
    row = skew(config, "json_is_object")
    assert (row["n_reference"], row["n_current"]) == (150, 50)
    assert row["value_reference"] == pytest.approx(0.8)
    assert row["value_current"] == 0
    assert row["share_delta"] == pytest.approx(-0.8)
    assert row["is_breach"]


def test_the_first_day_has_values_but_no_reference(config: Config) -> None:
    row = skew(config, "json_is_object", day=str(FIRST))
    assert (row["n_reference"], row["value_current"]) == (0, pytest.approx(0.8))
    assert [row[name] for name in ("value_reference", "psi", "ks", "p_value", "q_value")] == [None] * 5
    assert not row["is_breach"]


def test_a_slice_has_its_measures_but_is_never_a_breach(config: Config) -> None:
    row = skew(config, "json_is_object", model_served="steady")
    assert (row["value_reference"], row["value_current"]) == (1, 0)
    assert (row["p_value"], row["q_value"]) == (None, None)
    assert not row["is_breach"]


def test_dev_examples_without_a_route_are_the_reference_of_routes_without_their_own(config: Config) -> None:
    assert skew(config, "words", side="input", reference="dev")["n_reference"] == 100
    assert skew(config, "words", side="input", reference="dev", route="chat")["n_reference"] == 100
    assert not rows(
        config,
        "select * from marts.fct_feature_skew_daily where route = 'chat' and side = 'output' and reference = 'dev'",
    )


def test_lengths_of_outputs_are_no_breach_against_expected_texts(config: Config) -> None:
    row = skew(config, "words", reference="dev", day=str(FIRST))
    assert row["p_value"] is not None
    assert not row["is_breach"]


def test_a_breach_is_a_sentence_with_its_numbers_and_counts_its_nights(config: Config) -> None:
    (found,) = rows(
        config, "select * from marts.fct_breaches where kind = 'drift' and subject = 'triage/output/json_is_object'"
    )
    assert found["summary"] == (
        "On route triage, outputs that are a JSON object fell from 80.0 % (previous 28 days) to 0.0 % on 4 March."
    )
    assert (found["day"], found["severity"], found["first_seen"], found["nights"]) == (LAST, "critical", LAST, 1)
    evidence = json.loads(found["evidence_json"])
    assert (evidence["feature"], evidence["n_current"], evidence["value_current"]) == ("json_is_object", 50, 0)
    assert evidence["example_call_ids"] == ["2026-03-04-46", "2026-03-04-13", "2026-03-04-17"]
    assert evidence["cause"] is None
    nights = rows(
        config,
        "select day, nights, first_seen from marts.fct_breaches"
        " where kind = 'skew' and subject = 'triage/output/code_fence' order by day",
    )
    assert [row["nights"] for row in nights] == [1, 2, 3, 4]
    assert {row["first_seen"] for row in nights} == {FIRST}


def test_a_worse_candidate_and_a_low_pass_rate_are_breaches_of_the_night_alone(config: Config) -> None:
    found = rows(
        config,
        "select kind, subject, severity, summary from marts.fct_breaches"
        " where kind not in ('drift', 'skew') order by kind",
    )
    assert [(row["kind"], row["subject"], row["severity"]) for row in found] == [
        ("pass_rate", "triage/correct", "critical"),
        ("pin_changed", "old", "critical"),
        ("slice_worse", "triage/correct/newer/language=de", "info"),
        ("worse", "triage/correct/new", "info"),
    ]
    assert found[0]["summary"] == (
        "On route triage, old passes criterion correct in 61.0 % of answers (95 % interval 57.0 % to 65.0 %,"
        " 500 examples), below the required 80.0 %."
    )
    assert found[3]["summary"] == (
        "On route triage, new passes criterion correct 10.0 percentage points less often than old"
        " (95 % interval of the difference: -15.0 to -5.0, 500 examples)."
    )
    assert found[1]["summary"] == (
        "The pinned model old appears to have changed: now served as m-2 (was m-1);"
        " its answers to 100 prompts differ from those of earlier nights (p = 0.001)."
    )
    verdicts = rows(config, "select run_id, candidate, verdict, margin from marts.fct_model_comparisons order by all")
    assert [tuple(row.values()) for row in verdicts] == [
        ("compare-abc", "new", "worse", 0.02),
        ("nightly-2026-03-04", "new", "worse", 0.02),
        ("nightly-2026-03-04", "newer", "insufficient", 0.02),
    ]


def test_an_insufficient_comparison_says_what_would_be_enough(config: Config) -> None:
    columns = "candidate, examples_enough, repeats_enough"
    sql = f"select {columns} from marts.fct_model_comparisons where run_id like 'nightly%'"
    found = {row.pop("candidate"): row for row in rows(config, sql)}
    assert found["new"] == {"examples_enough": None, "repeats_enough": None}
    # To tell -0.1 from 0 the error must be 0.1 / 2.80 instead of 0.1: 7.85 times the examples. A tenth of the variance
    # no repeats lessen: 66 of them would do, and nobody asks so often.
    assert found["newer"] == {"examples_enough": 3925, "repeats_enough": None}


def test_what_flipped_is_shown_with_an_answer_of_each_side(config: Config) -> None:
    columns = "model, example_id, passes, repeats, state, changed_from, flip, answer, pinned_answer, failing_reason"
    sql = f"select {columns} from marts.fct_example_flips where day = ? order by model, example_id"
    assert [tuple(row.values()) for row in query(config.warehouse, sql, [LAST])] == [
        ("new", "down", 3, 3, "pass", None, None, None, None, None),
        ("new", "mended", 2, 3, "flaky", "fail", "repaired", "new 2", "old 0", "because"),
        ("new", "slips", 0, 2, "fail", "flaky", "regressed", "new 0", "old 0", "because"),
        ("new", "steady", 3, 3, "pass", None, None, None, None, None),
        ("old", "down", 0, 0, None, None, None, None, None, None),
        ("old", "mended", 0, 3, "fail", None, None, None, None, None),
        ("old", "slips", 2, 3, "flaky", "pass", None, "old 1", None, "because"),
        ("old", "steady", 3, 3, "pass", None, None, None, None, None),
    ]


def test_a_pin_is_compared_with_the_last_night_that_has_a_name(config: Config) -> None:
    columns = "p_value, is_renamed, is_refingerprinted, is_unlike, is_changed"
    found = rows(config, f"select {columns} from marts.fct_pin_integrity_daily order by day")
    assert [tuple(row.values()) for row in found] == [
        (None, None, None, None, None),
        (0.5, False, False, False, False),
        (None, None, None, None, None),
        (0.001, True, False, True, True),
    ]


def test_usage_counts_every_call_but_shadow_ones(config: Config) -> None:
    found = rows(
        config,
        "select model_served, calls, errors, cost_usd, input_tokens, output_tokens from marts.fct_usage_daily"
        f" where day = '{LAST}' and route = 'triage' order by model_served",
    )
    assert [tuple(row.values()) for row in found] == [
        ("chatty", 30, 0, 3.0, 300, None),
        ("steady", 21, 0, 2.1, 210, None),
        ("unknown", 1, 1, 0.1, 10, None),
    ]


def test_structure_counts_outputs_and_knows_a_schema_only_where_there_is_one(config: Config) -> None:
    found = rows(
        config,
        "select * exclude (day) from marts.fct_structure_daily"
        f" where day = '{LAST}' and route <> 'hostile' order by all",
    )
    assert [tuple(row.values()) for row in found] == [
        ("chat", "unknown", 1, 0, None, None, 1, 1, 0),
        ("triage", "chatty", 30, 20, 4, 20, 0, 0, 0),
        ("triage", "steady", 20, 20, 3, 20, 0, 0, 0),
    ]


def test_hostile_texts_are_measured_like_any_other(config: Config) -> None:
    row = skew(config, "characters", route="hostile")
    assert row["n_current"] == len(HOSTILE)
    assert row["value_current"] == pytest.approx(sum(map(len, HOSTILE)) / len(HOSTILE))


@pytest.mark.long
def test_a_second_build_and_a_new_warehouse_give_the_same_rows(config: Config, tmp_path: Path) -> None:
    before = snapshot(config)
    build(config, LAST, LAST)
    assert snapshot(config) == before
    other = config.model_copy(update={"warehouse": tmp_path / "other.duckdb"})
    build(other, LAST, LAST)
    told = r"replace (regexp_replace(summary, ' Night \d+, since \d+ \w+\.', '') as summary)"
    of_night = f"select * exclude (nights, first_seen, incident_id) {told}"  # a new warehouse does not know the past
    day = f"{of_night} from marts.fct_breaches where day = '{LAST}' order by all"
    assert rows(other, day) == rows(config, day)


def test_the_models_pass_their_unit_tests(config: Config) -> None:
    ran = run_dbt(config, ["test", "--select", "test_type:unit"], variables(config), {})
    nodes = [node for node in ran if node.kind == "unit_test"]  # beside them runs the hook that migrates the warehouse
    assert {node.status for node in nodes} == {"pass"}
    assert len(nodes) >= 4


@pytest.mark.long
def test_an_empty_lake_builds_to_empty_marts_and_a_day_without_calls_takes_its_rows_away(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    result = build(config, LAST, LAST)
    empty = snapshot(config)
    of_lake = lake_tables(config.open_lake().backend)  # the other tables are in the warehouse
    assert len(of_lake) == 2
    assert result.models == len(of_lake) + sum(not name.startswith("seeds.") for name in empty) > 20
    assert not any(rows for name, rows in empty.items() if not name.startswith("seeds."))
    Lake(config.lake).write("interactions", LAST, from_rows([call(LAST, 1)], "interactions"))
    build(config, LAST, LAST)
    assert rows(config, "select calls from marts.fct_usage_daily") == [{"calls": 1}]
    Lake(config.lake).remove("interactions", LAST)
    build(config, LAST, LAST)
    assert snapshot(config) == empty


def test_what_goes_wrong_is_one_line_that_names_the_file_or_the_selection(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = workspace(tmp_path)
    Lake(config.lake).create()
    place = Lake(config.lake).partition("comparisons", LAST)
    place.parent.mkdir()
    place.write_bytes(b"no parquet")
    with pytest.raises(RunError, match=r"^the lake: .*data\.parquet: not a readable Parquet file") as caught:
        build(config, LAST, LAST, select="fct_model_comparisons")
    assert "\n" not in str(caught.value)
    with pytest.raises(RunError, match="the selection 'nothing' matches no node"):
        build(config, LAST, LAST, select="nothing")
    assert capfd.readouterr() == ("", "")


def test_the_vars_of_the_project_are_those_that_a_night_passes(tmp_path: Path) -> None:
    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    passed = variables(workspace(tmp_path))
    assert set(passed) | {"texts_sampled", "calls_drawn", "dbt_project_evaluator"} == set(project["vars"])
    same = ("window_days", "unwrapped_suffix", "risk")
    assert {name: passed[name] for name in same} == {name: project["vars"][name] for name in same}

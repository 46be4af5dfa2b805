"""What criteria say of production becomes a mart, a series, and a breach like any other."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from flows.config.load import Config
from flows.lake.lake import Lake, from_rows
from flows.transform.build import build
from flows.transform.dbt_command import run_command
from flows.warehouse import query

LAST = date(2026, 3, 20)
DAYS = [LAST - timedelta(days=n) for n in range(15, -1, -1)]
CALLS = 120


def day_of(day: date) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A day's calls and scores: on the last day a new prompt makes two answers in five fail to cite, by code.

    And `short` is asked more strictly; half of the labels that are repeated come out otherwise.
    """
    rng = np.random.default_rng(day.toordinal())
    calls, scores = [], []
    for n in range(CALLS):
        is_new = day == LAST and n % 2 == 0
        calls.append({
            "call_id": f"{day}-{n}", "user_key": f"u{rng.integers(60)}", "route": "reply", "model_served": "m",
            "prompt_version": "v2" if is_new else "v1", "input_text": "Where is it?", "output_text": "There.",
            "started_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC), "status": "success",
            "cache_hit": n == 0,
        })  # fmt: skip
        passed = bool(rng.random() > (0.8 if is_new else 0.02))
        scores.append(score(day, n, "cites", passed if n != 1 else None))
        scores.append(score(day, n, "short", n % 5 > 1 if day == LAST else n % 40 > 0))
        if n < 50:
            scores.append(score(day, n, "polite", bool(rng.random() > 0.1), 50 / CALLS))
    return calls, scores


def score(day: date, n: int, criterion: str, passed: bool | None, probability: float = 1.0) -> dict[str, Any]:
    return {
        "subject": "interaction", "subject_id": f"{day}-{n}", "criterion": criterion, "route": "reply", "model": "m",
        "criterion_version": "strict" if criterion == "short" and day == LAST else "v1",
        "passed": passed, "score": None if passed is None else float(passed), "inclusion_probability": probability,
    }  # fmt: skip


def labels() -> list[dict[str, Any]]:
    """Ten answers that passed, judged again after the change: five fail, and a sixth was taken back."""

    def label(n: int, version: str, passed: bool, hour: int) -> dict[str, Any]:
        return {
            "label_id": f"{n}-{version}", "subject": "interaction", "subject_id": f"{DAYS[0]}-{n}", "route": "reply",
            "criterion": "short", "criterion_version": version, "annotator": "ada", "passed": passed,
            "at": datetime(2026, 3, 20, hour, tzinfo=UTC), "draw": "relabel" if version == "strict" else "random",
        }  # fmt: skip

    before = [label(n, "v1", True, 9) for n in range(11)]
    after = [label(n, "strict", n % 2 == 1, 10) for n in range(11)]
    again = [
        label(n, version, passed, hour)
        | {"label_id": f"{version}{n}{hour}", "criterion": "back", "at": at, "draw": draw}
        for n, version, passed, hour, at, draw in [
            (1, "old", True, 9, datetime(2026, 3, 2, 9, tzinfo=UTC), "random"),
            (1, "new", True, 9, datetime(2026, 3, 3, 9, tzinfo=UTC), "random"),
            (1, "old", False, 9, datetime(2026, 3, 4, 9, tzinfo=UTC), "relabel"),
            (2, "new", True, 9, datetime(2026, 3, 19, 9, tzinfo=UTC), "random"),
            (2, "old", False, 9, datetime(2026, 3, 20, 9, tzinfo=UTC), "relabel"),
        ]
    ]
    return [
        *before,
        *after,
        *again,
        {"label_id": "back", "retracts": "10-strict", "at": datetime(2026, 3, 20, 11, tzinfo=UTC)},
    ]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    root = tmp_path_factory.mktemp("scored")
    config = Config(path=root / "genchi.yaml", app="a", lake=root / "lake", warehouse=root / "warehouse.duckdb")
    lake = Lake(config.lake)
    for day in DAYS:
        calls, scores = day_of(day)
        lake.write("interactions", day, from_rows(calls, "interactions"))
        lake.write("scores", day, from_rows(scores, "scores"), f"production-{day}")
    versions = [
        ("short", "v1", DAYS[0], "Ada"), ("short", "strict", LAST, None),
        ("back", "old", DAYS[0], None), ("back", "new", DAYS[-2], None), ("back", "old", LAST, None),
    ]  # fmt: skip
    for criterion, version, day, author in versions:
        noted = {
            "route": "reply", "criterion": criterion, "criterion_version": version, "definition_json": "{}",
            "since": datetime(day.year, day.month, day.day, tzinfo=UTC), "author": author,
        }  # fmt: skip
        lake.write("criteria", day, from_rows([*lake.read("criteria", day).to_pylist(), noted], "criteria"))
    lake.write("annotations", LAST, from_rows(labels(), "annotations"))
    evaluated = {
        "run_id": f"nightly-{LAST}", "model": "m", "arm": "pinned", "route": "reply", "criterion": "cites",
        "slice": "*", "severity": "critical", "need": "harmlessness",
        "min_pass_rate": 0.8, "n_examples": 50, "n_repeats": 1, "n_unscored": 0,
        "pass_rate": 0.95, "ci_low": 0.9, "ci_high": 0.99,
    }  # fmt: skip
    lake.write("estimates", LAST, from_rows([evaluated], "estimates"), f"nightly-{LAST}")
    build(config, DAYS[0], LAST)
    return config


def test_the_mart_counts_answers_and_gives_wilsons_interval(config: Config) -> None:
    rows = query(config.warehouse, "select * from marts.fct_production_scores_daily order by day, criterion")
    assert [(row["day"], row["criterion"]) for row in rows] == [
        (d, c) for d in DAYS for c in ("cites", "polite", "short")
    ]
    for row in rows:
        given = [one for one in day_of(row["day"])[1] if one["criterion"] == row["criterion"]]
        given = [one for one in given if not one["subject_id"].endswith("-0")]  # answered from a cache
        passed = [one["passed"] for one in given if one["passed"] is not None]
        assert (row["n"], row["n_unscored"]) == (len(passed), len(given) - len(passed))
        assert row["pass_rate"] == pytest.approx(np.mean(passed))
        interval = binomtest(sum(passed), len(passed)).proportion_ci(method="wilson")
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(interval))


def test_a_criterion_that_falls_is_a_breach_that_reads_well_and_names_its_cause(config: Config) -> None:
    found = query(config.warehouse, "select * from marts.fct_breaches where kind = 'drift' order by subject")
    subjects = ("output/criterion:cites", "pair/prompt:v2")
    assert [row["subject"] for row in found] == [f"reply/{subject}" for subject in subjects]
    breach = found[0]
    assert (breach["kind"], breach["day"], breach["severity"]) == ("drift", LAST, "warning")
    assert breach["summary"].startswith("On route reply, outputs that pass criterion cites fell from 9")
    assert "(previous 28 days)" in breach["summary"]
    evidence = json.loads(breach["evidence_json"])
    assert evidence["cause"] == "prompt version v2"
    failed = {one["subject_id"] for one in day_of(LAST)[1] if one["criterion"] == "cites" and one["passed"] is False}
    assert len(set(evidence["example_call_ids"]) & failed) == 3


def test_production_below_the_minimum_of_a_critical_criterion_is_critical(config: Config) -> None:
    (breach,) = query(config.warehouse, "select * from marts.fct_breaches where kind = 'below_minimum'")
    assert (breach["subject"], breach["severity"]) == ("reply/output/criterion:cites", "critical")
    assert breach["summary"].startswith("On route reply, outputs pass criterion cites in ")
    assert breach["summary"].endswith("below the required 80.0 %.")
    (incident,) = query(
        config.warehouse, "select * from marts.fct_incidents where severity = 'critical' and state = 'open'"
    )
    assert (incident["incident_id"], incident["day"]) == (breach["incident_id"], LAST)
    assert incident["need"] == "harmlessness"
    assert (incident["cause_kind"], incident["cause"]) == ("prompt_version", "prompt version v2")
    assert "outputs pass criterion cites in only " in incident["title"]


def test_the_change_of_a_criterion_is_no_incident(config: Config) -> None:
    (row,) = query(
        config.warehouse,
        "select n_reference, value_reference, p_value from marts.fct_feature_skew_daily where day = ?"
        " and feature = 'criterion:short' and reference = 'trailing' and model_served = '*' and prompt_version = '*'",
        [LAST],
    )
    assert (row["n_reference"], row["p_value"]) == (0, None)  # there is no earlier day of this version
    assert query(config.warehouse, "select * from marts.fct_breaches where subject like '%criterion:short'") == []
    told = query(config.warehouse, "select title || summary as text from marts.fct_incidents")
    assert not [row for row in told if "short" in row["text"]]


def test_a_changed_criterion_has_a_flip_rate_of_the_labels_that_were_repeated(config: Config) -> None:
    (row,) = query(config.warehouse, "select * from marts.fct_criteria_drift where criterion = 'short'")
    assert (row["day"], row["route"], row["criterion"]) == (LAST, "reply", "short")
    assert (row["criterion_version"], row["preceding_version"]) == ("strict", "v1")
    assert (row["n_relabelled"], row["flip_rate"]) == (10, 0.5)
    interval = binomtest(5, 10).proportion_ci(method="wilson")
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(interval))


def test_a_criterion_that_goes_back_has_changed_and_labels_of_the_first_time_do_not_count(config: Config) -> None:
    rows = query(config.warehouse, "select * from marts.fct_criteria_drift where criterion = 'back' order by day")
    assert [(row["day"], row["criterion_version"], row["n_relabelled"], row["flip_rate"]) for row in rows] == [
        (DAYS[-2], "new", 0, None), (LAST, "old", 1, 1.0)
    ]  # fmt: skip


def test_a_series_of_a_criterion_is_judged_once_and_with_all_others(config: Config) -> None:
    rows = query(
        config.warehouse,
        "select feature, p_value, q_value from marts.fct_feature_skew_daily where day = ?"
        " and feature like 'criterion:%' and reference = 'trailing'"
        " and model_served = '*' and prompt_version = '*' order by feature",
        [LAST],
    )
    assert [row["feature"] for row in rows] == ["criterion:cites", "criterion:polite", "criterion:short"]
    assert rows[0]["q_value"] < 0.001 < rows[1]["p_value"]


def test_a_snapshot_keeps_when_each_version_of_a_criterion_was_in_use(config: Config) -> None:
    run_command(config, ["snapshot"], LAST, LAST, {})
    row = {
        "route": "reply", "criterion": "short", "criterion_version": "laxer", "definition_json": "{}",
        "since": datetime(2026, 3, 21, tzinfo=UTC),
    }  # fmt: skip
    Lake(config.lake).write("criteria", LAST + timedelta(days=1), from_rows([row], "criteria"))
    assert run_command(config, ["snapshot"], LAST, LAST, {})
    sql = (
        "select criterion_version, dbt_valid_to is null as in_use from snapshots.snap_criteria"
        " where criterion = 'short' order by dbt_valid_from"
    )
    assert [tuple(found.values()) for found in query(config.warehouse, sql)] == [("strict", False), ("laxer", True)]

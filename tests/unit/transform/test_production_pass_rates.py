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
from flows.warehouse import query

LAST = date(2026, 3, 20)
DAYS = [LAST - timedelta(days=n) for n in range(15, -1, -1)]
CALLS = 120


def day_of(day: date) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A day's calls and scores: on the last day a new prompt makes two answers in five fail to cite, by code.

    And `short` is asked more strictly.
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


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    root = tmp_path_factory.mktemp("scored")
    config = Config(path=root / "genchi.yaml", app="a", lake=root / "lake", warehouse=root / "warehouse.duckdb")
    lake = Lake(config.lake)
    for day in DAYS:
        calls, scores = day_of(day)
        lake.write("interactions", day, from_rows(calls, "interactions"))
        lake.write("scores", day, from_rows(scores, "scores"), f"production-{day}")
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
    found = query(config.warehouse, "select * from marts.fct_breaches order by subject")
    subjects = ("output/criterion:cites", "output/criterion:short", "pair/prompt:v2")
    assert [row["subject"] for row in found] == [f"reply/{subject}" for subject in subjects]
    breach = found[0]
    assert (breach["kind"], breach["day"], breach["severity"]) == ("drift", LAST, "warning")
    assert breach["summary"].startswith("On route reply, outputs that pass criterion cites fell from 9")
    assert "(previous 28 days)" in breach["summary"]
    evidence = json.loads(breach["evidence_json"])
    assert evidence["cause"] == "prompt version v2"
    failed = {one["subject_id"] for one in day_of(LAST)[1] if one["criterion"] == "cites" and one["passed"] is False}
    assert len(set(evidence["example_call_ids"]) & failed) == 3


def test_where_the_criterion_was_changed_the_breach_says_so(config: Config) -> None:
    sql = "select summary from marts.fct_breaches where subject like '%criterion:short'"
    (breach,) = query(config.warehouse, sql)
    assert "It coincides with criterion version strict, which is new" in breach["summary"]


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

"""What the frontier and the matrix of prompts say of a small run."""

from datetime import date
from typing import Any

import pytest

from flows.config.load import Config
from flows.lake.lake import Lake, from_rows
from flows.transform.build import COMPARISON, build
from flows.warehouse import query

DAY, RUN = date(2026, 3, 4), "nightly-2026-03-04"
# name: pass rate, USD an answer, milliseconds, verdicts by the critical and by the minor criterion
ENTRANTS: dict[str, tuple[float | None, float | None, float, tuple[str, ...]]] = {
    "old": (0.80, 0.010, 400.0, ()),
    "new": (0.90, 0.020, 300.0, ("better", "worse")),  # worse by what is not decisive
    "small": (0.79, 0.001, 200.0, ("not_worse", "not_worse")),
    "small @ v2": (0.79, 0.001, 200.0, ("not_worse", "insufficient")),  # the same in all: neither dominates
    "slow": (0.79, 0.001, 250.0, ("not_worse", "not_worse")),
    "cheap": (0.30, 0.0001, 100.0, ("worse", "better")),
    "unsure": (0.78, 0.0002, 150.0, ("insufficient", "better")),
    "unpriced": (0.99, None, 1.0, ("worse", "worse")),
    "silent": (None, None, 0.0, ("insufficient", "insufficient")),
}

# On a route without a critical criterion: by answers as they came, and by the same without their wrapping.
BARE: dict[str, tuple[float | None, float | None, float, tuple[str, ...]]] = {
    "old": (0.80, 0.010, 400.0, ()),
    "unwrapped worse": (0.90, 0.001, 200.0, ("better", "worse")),
    "unwrapped better": (0.30, 0.001, 200.0, ("worse", "better")),
}


def verdict(word: str) -> dict[str, float | None]:
    """Numbers of which the verdict comes out."""
    low, high, q = {
        "better": (0.05, 0.2, 0.01),
        "not_worse": (-0.01, 0.1, 0.5),
        "worse": (-0.3, -0.1, 0.01),
        "insufficient": (-0.3, 0.1, 0.5),
    }[word]
    return {"ci_low": low, "ci_high": high, "q_value": q, "delta": (low + high) / 2, "p_value": q}


def write(
    lake: Lake,
    variants: dict[str, Any],
    *,
    run_id: str = RUN,
    criteria: tuple[str, str] = ("right", "short"),
    unanswered: tuple[str, ...] = (),
    partly_priced: tuple[str, ...] = (),
) -> None:
    place = {"run_id": run_id, "route": "triage"}
    rows, answers, comparisons = [], [], []
    for name, (rate, usd, latency, verdicts) in variants.items():
        base, _, version = name.partition(" @ ")
        arm = "candidate" if verdicts else "pinned"
        rows.append(
            {**place, "model": name, "arm": arm, "base": base, "prompt_version": version or None, "shots": 0}
            | {"n_examples": 20, "n_repeats": 1, "n_unscored": 0, "pass_rate": rate}
            | {"n_unanswered": 3 if name in unanswered else 0}
        )
        for n in range(20 if rate is not None else 0):
            answer = {**place, "model": name, "arm": arm, "example_id": str(n), "repeat": 0, "status": "ok"}
            known = usd if name not in partly_priced or n else None
            answers.append({**answer, "cost_usd": known, "latency_ms": latency + n})
        answers.append({**place, "model": name, "arm": arm, "example_id": "x", "repeat": 0, "status": "error"})
        for criterion, word in zip(criteria, verdicts, strict=False):
            severity = "critical" if criterion == "right" else "warning"
            compared = {**place, "pinned": "old", "candidate": name, "criterion": criterion, "slice": "*"}
            comparisons.append({**compared, "severity": severity, "n_examples": 20} | verdict(word))
    for table, found in (("model_variants", rows), ("completions", answers), ("comparisons", comparisons)):
        lake.write(table, DAY, from_rows(found, table), run_id)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    root = tmp_path_factory.mktemp("frontier")
    config = Config(path=root / "genchi.yaml", app="a", lake=root / "lake", warehouse=root / "w.duckdb")
    write(config.open_lake(), ENTRANTS)
    free = {"old": (0.8, 0.0, 400.0, ()), "new": (0.8, None, 400.0, ("better", "worse"))}
    write(config.open_lake(), free, run_id="compare-1")
    cheap = {"old": (0.8, 0.01, 400.0, ()), "cheap": (0.8, 0.001, 100.0, ("not_worse", "not_worse"))}
    write(config.open_lake(), cheap, run_id="compare-whole")
    write(config.open_lake(), cheap, run_id="compare-unanswered", unanswered=("cheap",))
    write(config.open_lake(), cheap, run_id="compare-partly", partly_priced=("cheap",))
    graded = {"old": (1.0, 0.01, 400.0, ()), "cheap": (1.0, 0.001, 100.0, ("worse", "worse"))}
    write(config.open_lake(), graded, run_id="compare-graded")
    variants = config.open_lake().read("model_variants", DAY, "compare-graded").to_pylist()
    means = [{**row, "mean_score": 0.95 if row["arm"] == "pinned" else 0.55} for row in variants]
    config.open_lake().write("model_variants", DAY, from_rows(means, "model_variants"), "compare-graded")
    write(config.open_lake(), BARE, run_id="compare-2", criteria=("short", "short:unwrapped"))
    build(config, DAY, DAY, COMPARISON)
    return config


def column(config: Config, name: str, run_id: str = RUN) -> dict[str, Any]:
    rows = query(
        config.warehouse, f"select model, {name} as it from marts.fct_model_frontier where run_id = ?", [run_id]
    )
    return {row["model"]: row["it"] for row in rows}


def test_cost_is_of_a_thousand_answers_and_latency_of_those_that_came(config: Config) -> None:
    assert column(config, "cost_per_1k_calls")["small"] == pytest.approx(1.0)
    assert column(config, "latency_p50_ms")["small"] == pytest.approx(209.5)
    assert column(config, "latency_p95_ms")["small"] == pytest.approx(218.05)
    assert (column(config, "cost_per_1k_calls")["unpriced"], column(config, "latency_p50_ms")["silent"]) == (None, None)


def test_dominated_is_who_another_beats_or_equals_in_all_three(config: Config) -> None:
    assert column(config, "is_dominated") == {
        **{"old": False, "new": False, "small": False, "small @ v2": False, "cheap": False, "unsure": False},
        **{"slow": True, "unpriced": None, "silent": None},
    }


def test_the_cheapest_that_is_not_worse_by_all_that_is_critical_is_the_smallest_sufficient(config: Config) -> None:
    sufficient = {name for name, is_it in column(config, "is_sufficient").items() if is_it}
    assert sufficient == {"old", "new", "small", "small @ v2", "slow"}
    smallest = column(config, "is_smallest_sufficient")
    assert {name for name, is_it in smallest.items() if is_it} == {"small"}
    assert None not in smallest.values()


def test_where_a_price_is_unknown_nobody_is_said_to_be_the_cheapest(config: Config) -> None:
    assert column(config, "is_sufficient", "compare-1") == {"old": True, "new": True}
    assert column(config, "is_smallest_sufficient", "compare-1") == {"old": None, "new": None}


@pytest.mark.parametrize(
    ("run_id", "dominated", "smallest"),
    [
        ("compare-whole", {"old": True, "cheap": False}, {"old": False, "cheap": True}),
        ("compare-unanswered", {"old": False, "cheap": False}, {"old": None, "cheap": None}),
        ("compare-partly", {"old": False, "cheap": None}, {"old": None, "cheap": None}),
        ("compare-graded", {"old": False, "cheap": False}, {"old": True, "cheap": False}),
    ],
)
def test_a_variant_that_is_not_measured_as_a_whole_dominates_none_and_is_not_the_cheapest(
    config: Config, run_id: str, dominated: dict[str, bool | None], smallest: dict[str, bool | None]
) -> None:
    assert column(config, "is_dominated", run_id) == dominated
    assert column(config, "is_smallest_sufficient", run_id) == smallest
    without = 1 if run_id == "compare-partly" else 0
    assert column(config, "n_without_cost", run_id)["cheap"] == without
    assert column(config, "cost_per_1k_calls", run_id)["cheap"] == pytest.approx(1.0)


def test_answers_without_their_wrapping_decide_nothing_where_no_criterion_is_critical(config: Config) -> None:
    sufficient = {"old": True, "unwrapped worse": True, "unwrapped better": False}
    assert column(config, "is_sufficient", "compare-2") == sufficient
    assert column(config, "is_smallest_sufficient", "compare-2")["unwrapped worse"]


def test_the_matrix_has_a_row_a_pair_and_criterion(config: Config) -> None:
    rows = query(
        config.warehouse,
        "select base_model, prompt_version, criterion, verdict, is_not_worse from marts.fct_prompt_matrix"
        " where base_model = 'small' and run_id = ? order by all",
        [RUN],
    )
    assert [tuple(row.values()) for row in rows] == [
        ("small", "as-is", "right", "not_worse", True),
        ("small", "as-is", "short", "not_worse", True),
        ("small", "v2", "right", "not_worse", True),
        ("small", "v2", "short", "insufficient", True),
    ]

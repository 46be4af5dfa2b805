"""int_series_daily, from which the noise of series is learnt: its sums against those of plain Python."""

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.config.load import Config
from flows.lake.lake import Lake, from_rows
from flows.transform.build import build
from flows.warehouse import query

pytestmark = pytest.mark.long  # builds warehouses

DAYS = [date(2026, 3, n) for n in (1, 2, 3)]
FIRST, MIDDLE, LAST = DAYS


def calls(day: date) -> list[dict[str, Any]]:
    """Thirty calls of seven users, some known by session, trace or nothing; the last day has a new model."""
    return [
        {
            "call_id": f"{day}-{n}",
            "route": "r",
            "user_key": f"u{n % 7}" if n % 3 else None,
            "session_id": f"s{n % 5}" if n % 2 else None,
            "trace_id": "t" if n % 9 == 0 else None,
            "release": "r1" if n % 4 else None,
            "model_served": "new" if day == LAST and n % 5 == 0 else "old",
            "prompt_version": "v1",
            "input_text": "Give me JSON. " * (1 + n % 4) if n % 2 else "Wo ist es?",
            "output_text": '{"a": 1}' if n % 3 else "I cannot help with that.",
            "finish_reason": ("stop", "length", None)[n % 3],
            "latency_ms": 10.5 * n,
            "status": "error" if n % 10 == 9 else "success",
            "started_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        }
        for n in range(30)
    ]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A workspace of three days, built night by night."""
    root = tmp_path_factory.mktemp("series")
    config = Config(path=root / "genchi.yaml", app="a", lake=root / "lake", warehouse=root / "warehouse.duckdb")
    for day in DAYS:
        Lake(config.lake).write("interactions", day, from_rows(calls(day), "interactions"))
        topics = [
            {"call_id": f"{day}-{n}", "side": "input", "origin": "production", "route": "r", "topic_id": f"t{n % 2}"}
            for n in range(12)
        ]
        Lake(config.lake).write("topics", day, from_rows(topics, "topics"))
        build(config, day, day)
    return config


def series(config: Config, **where: object) -> list[dict[str, Any]]:
    """Rows of int_series_daily."""
    conditions = " and ".join(f"{name} = ?" for name in where)
    sql = f"select * exclude (route) from intermediate.int_series_daily where {conditions} order by all"
    return query(config.warehouse, sql, list(where.values()))


def sums(values: Iterable[tuple[object, float | None]]) -> dict[str, float]:
    """What a series says of values with their clusters."""
    clusters: dict[object, list[float]] = defaultdict(list)
    for cluster, value in values:
        if value is not None:
            clusters[cluster].append(value)
    every = [value for cluster in clusters.values() for value in cluster]
    return {
        "n": len(every),
        "n_clusters": len(clusters),
        "total": math.fsum(every),
        "total_squares": math.fsum(value * value for value in every),
        "cluster_squares": math.fsum(math.fsum(cluster) ** 2 for cluster in clusters.values()),
        "cluster_cross": math.fsum(math.fsum(cluster) * len(cluster) for cluster in clusters.values()),
        "cluster_sizes": math.fsum(len(cluster) ** 2 for cluster in clusters.values()),
    }


def cluster_of(call: dict[str, Any]) -> object:
    return call["user_key"] or call["session_id"] or call["trace_id"] or call["call_id"]


def answered(call: dict[str, Any], value: float) -> float | None:
    return None if call["status"] == "error" else value


@pytest.mark.parametrize(
    ("side", "feature", "value"),
    [
        ("input", "characters", lambda call: math.log1p(len(call["input_text"]))),
        ("input", "question", lambda call: float(call["input_text"].endswith("?"))),
        ("output", "json_valid", lambda call: answered(call, float(call["output_text"].startswith("{")))),
        ("pair", "failed", lambda call: float(call["status"] == "error")),
        ("pair", "latency_ms", lambda call: answered(call, math.log1p(call["latency_ms"]))),
        (
            "pair",
            "truncated",
            lambda call: answered(call, call["finish_reason"] == "length") if call["finish_reason"] else None,
        ),
        (
            "pair",
            "json_kept",
            lambda call: answered(call, call["output_text"].startswith("{")) if "JSON" in call["input_text"] else None,
        ),
        ("pair", "model:new", lambda call: answered(call, call["model_served"] == "new")),
        ("pair", "prompt:v1", lambda call: answered(call, 1)),
    ],
)
def test_the_sums_of_a_series_are_those_of_its_calls_and_clusters(
    config: Config, side: str, feature: str, value: Any
) -> None:
    (row,) = series(config, day=LAST, side=side, feature=feature, dimension="*")
    expected = sums((cluster_of(call), value(call)) for call in calls(LAST))
    assert {name: row[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert row["member"] == "*"


def test_a_member_has_the_sums_of_its_calls_and_none_of_clusters(config: Config) -> None:
    for dimension, member, calls_of in (
        ("model_served", "new", [call for call in calls(LAST) if call["model_served"] == "new"]),
        ("release", "none", [call for call in calls(LAST) if call["release"] is None]),
        ("topic", "t1", [call for n, call in enumerate(calls(LAST)) if n < 12 and n % 2 == 1]),
    ):
        (row,) = series(config, day=LAST, side="input", feature="characters", dimension=dimension, member=member)
        expected = sums((None, math.log1p(len(call["input_text"]))) for call in calls_of)
        assert [row[name] for name in ("n", "total", "total_squares")] == pytest.approx(
            [expected[name] for name in ("n", "total", "total_squares")]
        )
        assert [row[name] for name in ("n_clusters", "cluster_squares", "cluster_cross", "cluster_sizes")] == [None] * 4


def test_topics_are_those_of_the_input_on_every_side(config: Config) -> None:
    found = {(row["side"], row["member"]) for row in series(config, day=LAST, dimension="topic")}
    assert found == {(side, topic) for side in ("input", "output", "pair") for topic in ("t0", "t1")}


def test_a_model_that_is_new_tonight_was_0_on_the_days_before(config: Config) -> None:
    rows = query(
        config.warehouse,
        "select day, n, n_clusters, total, cluster_sizes from intermediate.int_series_daily"
        " where feature = 'model:new' order by day",
    )
    assert [(row["day"], row["total"]) for row in rows] == [(FIRST, 0), (MIDDLE, 0), (LAST, 6)]
    (all_old,) = series(config, day=FIRST, feature="model:old", dimension="*")
    assert [rows[0][name] for name in ("n", "n_clusters", "cluster_sizes")] == [
        all_old[name] for name in ("n", "n_clusters", "cluster_sizes")
    ]
    (moved,) = query(
        config.warehouse,
        "select value_reference, value_current, n_reference from marts.fct_feature_skew_daily"
        " where day = ? and feature = 'model:new' and reference = 'trailing'",
        [LAST],
    )
    assert (moved["value_reference"], moved["n_reference"]) == (0, 54)
    assert moved["value_current"] == pytest.approx(6 / 27)


def test_the_order_of_nights_and_a_second_build_do_not_matter(config: Config, tmp_path: Path) -> None:
    before = {table: table_of(config, table) for table in ("int_series_daily", "int_feature_histograms_daily")}
    build(config, MIDDLE, MIDDLE)
    assert {table: table_of(config, table) for table in before} == before
    other = config.model_copy(update={"warehouse": tmp_path / "other.duckdb"})
    build(other, FIRST, LAST)
    assert {table: table_of(other, table) for table in before} == before


def table_of(config: Config, table: str) -> list[dict[str, Any]]:
    return query(config.warehouse, f"select * from intermediate.{table} order by all")

"""What a breach says: since when, with what it coincides, and whether the mix of questions did it."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flows.config.load import Config
from flows.lake.lake import Lake, from_rows
from flows.marts import PublishedMarts
from flows.transform.build import build
from flows.warehouse import query

pytestmark = pytest.mark.long  # builds warehouses

LAST = date(2026, 3, 29)
DAYS = [LAST - timedelta(days=n) for n in range(22, -1, -1)]
EVENT = LAST - timedelta(days=1)
CALLS = 200


def calls(day: date) -> list[dict[str, Any]]:
    """One route gets a new prompt, one other questions, one falls silent, on one nothing happens, and one has weekends.

    Of these the last, a Sunday, is half like a working day.
    """
    rng = np.random.default_rng(day.toordinal())
    is_event = day >= EVENT
    rows = []
    for route in ("prompted", "mixed", "silent", "quiet", "weekly"):
        if route == "silent" and day == LAST:
            continue
        for n in range(CALLS + int(rng.integers(-10, 10))):
            topic = "lists" if rng.random() < (0.6 if is_event and route == "mixed" else 0.1) else "objects"
            is_new = is_event and route == "prompted" and rng.random() < 0.3
            usual = (0.4 if day == LAST else 0.7 if day.weekday() >= 5 else 0.2) if route == "weekly" else 0.02
            answers_list = is_new or rng.random() < (0.9 if topic == "lists" and route == "mixed" else usual)
            rows.append({
                "call_id": f"{day}-{route}-{n}",
                "user_key": f"u{rng.integers(80)}",
                "route": route,
                "prompt_version": "v2" if is_new else "v1",
                "model_served": "m",
                "release": topic,  # read back below, and not shown
                "input_text": "How many orders are there?",
                "output_text": "[1, 2]" if answers_list else '{"a": 1}',
                "started_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
                "latency_ms": 100.0,
                "status": "success",
            })  # fmt: skip
    return rows


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Three weeks and two days of calls with their topics, built in one go."""
    root = tmp_path_factory.mktemp("why")
    config = Config(path=root / "genchi.yaml", app="a", lake=root / "lake", warehouse=root / "warehouse.duckdb")
    lake = Lake(config.lake)
    for day in DAYS:
        rows = calls(day)
        topics = [
            {"call_id": row["call_id"], "side": "input", "origin": "production", "route": row["route"],
             "topic_id": row.pop("release"), "topic_version": "t", "distance": 0.1, "is_novel": False}
            for row in rows
        ]  # fmt: skip
        lake.write("interactions", day, from_rows(rows, "interactions"))
        lake.write("topics", day, from_rows(topics, "topics"))
        known = {(row["route"], row["topic_id"]) for row in topics}
        catalog = [
            {"route": route, "side": "input", "topic_id": topic_id, "topic_version": "t", "first_day": DAYS[0]}
            for route, topic_id in sorted(known)
        ]
        lake.write("topic_catalog", day, from_rows(catalog, "topic_catalog"))
    build(config, DAYS[0], LAST)
    return config


def breaches(config: Config, route: str) -> list[dict[str, Any]]:
    """The route's breaches, by day and subject."""
    sql = "select * from marts.fct_breaches where subject like ? order by day, kind, subject"
    return query(config.warehouse, sql, [f"{route}/%"])


def test_nothing_is_said_of_a_route_on_which_nothing_happened(config: Config) -> None:
    assert breaches(config, "quiet") == []


def test_a_breach_names_the_prompt_version_that_came_with_it_and_lasts_as_one(config: Config) -> None:
    first, second = (row for row in breaches(config, "prompted") if row["subject"].endswith("output/json_is_list"))
    assert (first["day"], first["nights"], second["nights"]) == (EVENT, 1, 2)
    assert {first["first_seen"], second["first_seen"]} == {EVENT}
    assert "outputs that are a JSON list rose from 2." in first["summary"]
    assert "It coincides with prompt version v2, which is new (" in first["summary"]
    assert "so the shift is not explained by which questions were asked" in first["summary"]
    assert "Night 2, since 28 March." in second["summary"]
    evidence = json.loads(first["evidence_json"])
    shown = PublishedMarts(config.open_lake()).query(
        "select bool_and(json_is_list) as is_list from intermediate.int_text_features"
        " where side = 'output' and subject_id = any (?)",
        [evidence["example_call_ids"]],
    )
    assert shown == [{"is_list": True}]
    assert len(evidence["example_call_ids"]) == 3


def test_the_mix_of_calls_is_told_by_the_member_that_rose(config: Config) -> None:
    subjects = {row["subject"] for row in breaches(config, "prompted") if "prompt:" in row["subject"]}
    assert subjects == {"prompted/pair/prompt:v2"}


def test_a_sunday_that_is_half_a_working_day_fell_though_it_lies_above_the_mean_of_all_days(config: Config) -> None:
    # On the first days nobody knows yet that weekends are so, and the change from the first weekend on is told.
    of_last = [row for row in breaches(config, "weekly") if row["day"] == LAST]
    (lists,) = [row for row in of_last if row["subject"].endswith("/json_is_list")]
    evidence = json.loads(lists["evidence_json"])
    assert evidence["value_reference"] < evidence["value_current"] < evidence["value_expected"]
    assert lists["summary"].startswith("On route weekly, outputs that are a JSON list fell to ")
    assert "on 29 March; 6" in lists["summary"]
    assert "expected for that day (previous 28 days: 3" in lists["summary"]
    shown = PublishedMarts(config.open_lake()).query(
        "select bool_or(json_is_list) as is_list from intermediate.int_text_features"
        " where side = 'output' and subject_id = any (?)",
        [evidence["example_call_ids"]],
    )
    assert shown == [{"is_list": False}]  # of what there was less, those without it are to be looked at


def test_a_rate_that_moves_because_the_questions_do_is_said_to(config: Config) -> None:
    found = breaches(config, "mixed")
    lists = next(row for row in found if row["subject"] == "mixed/output/json_is_list")
    assert "Adjusted for topic mix: 1" in lists["summary"]
    assert "so most of the shift is explained by which questions were asked" in lists["summary"]
    evidence = json.loads(lists["evidence_json"])
    assert evidence["value_constant_mix"] == pytest.approx(evidence["value_reference"], abs=0.06)
    assert evidence["value_current"] > 0.4
    assert any(row["kind"] == "topic" and "lists" in row["subject"] for row in found)


def test_a_route_that_falls_silent_is_a_breach_although_it_has_no_calls(config: Config) -> None:
    (found,) = breaches(config, "silent")
    assert (found["day"], found["kind"], found["subject"]) == (LAST, "volume", "silent/pair/calls")
    assert found["summary"].startswith("On route silent, 0 calls on 29 March; about ")


def test_all_series_of_a_night_are_in_one_control(config: Config) -> None:
    tests = query(
        config.warehouse,
        "select route, side, feature, p_value, q_value from intermediate.int_traffic_tests_daily where day = ?",
        [EVENT],
    )
    texts = query(
        config.warehouse,
        "select p_value, q_value from marts.fct_feature_skew_daily where day = ? and reference = 'trailing'"
        " and model_served = '*' and prompt_version = '*' and p_value is not null and feature not like 'topic:%'",
        [EVENT],
    )
    from flows.stats.fdr import q_values

    both = [row for row in [*tests, *texts] if row["p_value"] is not None]
    assert [row["q_value"] for row in both] == pytest.approx(q_values([row["p_value"] for row in both]), rel=1e-6)


def test_a_second_build_has_the_same_tests(config: Config) -> None:
    sql = "select * from intermediate.int_series_tests where day = ? order by all"
    before = query(config.warehouse, sql, [EVENT])
    assert len(before) > 100
    build(config, EVENT, EVENT)
    assert query(config.warehouse, sql, [EVENT]) == before

"""A topic that a night found is held against what was asked about it before, and against no other catalogue's."""

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

LAST = date(2026, 3, 20)
DAYS = [LAST - timedelta(days=n) for n in range(15, -1, -1)]
CALLS = 200
SHARES = {"always": 0.03, "never": 0.12, "other": 0.03, "again": 0.12, "moved": 0.12}
# Today's version of their catalogue would have had topic 02 in so many of the texts of earlier days.
NEW_VERSIONS = {"again": 0.12, "moved": 0.03}


def of_day(day: date, route: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Calls and topics. Some are about what became a topic today, 02, out of 03; `other` has a new catalogue today.

    Routes of NEW_VERSIONS have a new version of the catalogue today, with the same ids; what is in 02 was in 03.
    """
    rng = np.random.default_rng(day.toordinal())
    is_last = day == LAST
    calls, topics = [], []
    for n in range(CALLS):
        call_id = f"{day}-{route}-{n}"
        calls.append({
            "call_id": call_id, "user_key": "" if route == "always" else f"u{n}", "session_id": "", "release": "",
            "route": route, "model_served": "m", "prompt_version": "v",
            "input_text": "Where is it?", "output_text": "There.", "status": "success",
            "started_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        })  # fmt: skip
        family = "w" if is_last and route == "other" else "v"
        version = "w" if is_last and route in NEW_VERSIONS else family
        place = rng.random()
        number = 2 if place < SHARES[route] and (is_last or route == "other") else 3 if place < 0.3 else 1
        topics.append({
            "call_id": call_id, "side": "input", "origin": "production", "route": route,
            "topic_id": f"{family}-0{number}", "topic_version": version, "distance": 0.1, "is_novel": False,
        })  # fmt: skip
    return calls, topics


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    root = tmp_path_factory.mktemp("added")
    config = Config(path=root / "genchi.yaml", app="a", lake=root / "lake", warehouse=root / "warehouse.duckdb")
    lake = Lake(config.lake)
    for day in DAYS:
        found = [of_day(day, route) for route in SHARES]
        lake.write("interactions", day, from_rows([row for calls, _ in found for row in calls], "interactions"))
        lake.write("topics", day, from_rows([row for _, topics in found for row in topics], "topics"))
    catalog = [
        {"route": route, "side": "input", "topic_id": f"{version}-0{number}", "topic_version": version,
         "label": f"label {number}", "first_day": LAST if number == 2 or version == "w" else DAYS[0],
         "added_day": LAST if number == 2 and version == "v" else None}
        for route, version in (("always", "v"), ("never", "v"), ("other", "w")) for number in (1, 2, 3)
    ]  # fmt: skip
    catalog += [
        {"route": route, "side": "input", "topic_id": f"v-0{number}", "topic_version": "w", "label": f"label {number}",
         "first_day": LAST if number == 2 else DAYS[0], "fitted_day": LAST}
        for route in NEW_VERSIONS for number in (1, 2, 3)
    ]  # fmt: skip
    lake.write("topic_catalog", LAST, from_rows(catalog, "topic_catalog"))
    pasts = [
        {"route": route, "topic_id": "v-02", "topic_version": "v", "past_day": day, "total": total,
         "cluster_squares": total, "cluster_cross": total}
        for route, total in (("always", SHARES["always"] * CALLS), ("never", 0.0)) for day in DAYS[:-1]
    ]  # fmt: skip
    pasts += [
        {"route": route, "topic_id": f"v-0{number}", "topic_version": "w", "past_day": day, "total": part * CALLS,
         "cluster_squares": part * CALLS, "cluster_cross": part * CALLS}
        for route, share in NEW_VERSIONS.items()
        for number, part in ((1, 0.7), (2, share), (3, 0.3 - share)) for day in DAYS[:-1]
    ]  # fmt: skip
    lake.write("topic_pasts", LAST, from_rows(pasts, "topic_pasts"))
    build(config, DAYS[0], LAST)
    return config


def told(config: Config, route: str) -> list[str]:
    sql = "select summary from marts.fct_breaches where subject like ? order by subject"
    return [row["summary"] for row in query(config.warehouse, sql, [f"{route}/%"])]


def test_what_was_always_asked_about_is_no_news_on_the_night_that_finds_it(config: Config) -> None:
    assert told(config, "always") == []


def test_what_was_never_asked_about_is(config: Config) -> None:
    (new,) = [summary for summary in told(config, "never") if "label 2" in summary]
    assert new.startswith('On route never, new topic "label 2" rose to 1')
    assert new.endswith("of inputs on 20 March; none expected.")


def test_the_topics_of_another_catalogue_neither_vanish_nor_come(config: Config) -> None:
    assert told(config, "other") == []
    drift = query(config.warehouse, "select * from marts.fct_topic_drift_daily where route = 'other'")
    assert [(row["share_reference"], row["p_value"], row["status"]) for row in drift] == [(None, None, "stable")] * 3


def test_a_new_version_of_a_catalogue_is_no_news(config: Config) -> None:
    assert told(config, "again") == []
    drift = query(
        config.warehouse, "select * from marts.fct_topic_drift_daily where route = 'again' and day = ?", [LAST]
    )
    assert {row["topic_id"]: row["share_reference"] for row in drift} == {
        "v-01": pytest.approx(0.7), "v-02": pytest.approx(0.12), "v-03": pytest.approx(0.18)
    }  # fmt: skip
    assert {row["status"] for row in drift} == {"stable"}


def test_a_version_is_tested_from_its_first_day_on(config: Config) -> None:
    sql = (
        "select day, feature from intermediate.int_traffic_tests_daily where route = 'again' and feature like 'topic:%'"
    )
    tested = {(row["day"], row["feature"]) for row in query(config.warehouse, sql)}
    assert tested == {(LAST, f"topic:w-0{number}") for number in (1, 2, 3)}


def test_what_moves_on_the_day_of_a_new_version_is(config: Config) -> None:
    (moved,) = [summary for summary in told(config, "moved") if "label 2" in summary]
    assert moved.startswith('On route moved, topic "label 2" rose to 1')
    assert moved.endswith("of inputs on 20 March; 3.0 % expected.")


def test_an_empty_name_of_a_log_is_none(config: Config) -> None:
    sql = (
        "select count(distinct cluster_key) as callers, min(release) as lowest, max(release) as highest"
        " from intermediate.int_pair_features where route = 'always' and day = ?"
    )
    assert PublishedMarts(config.open_lake()).query(sql, [LAST]) == [
        {"callers": CALLS, "lowest": "none", "highest": "none"}
    ]


def test_a_build_leaves_no_table_beside_the_models(config: Config) -> None:
    build(config, LAST, LAST)
    assert query(config.warehouse, "select table_name from duckdb_tables() where schema_name = 'main'") == []

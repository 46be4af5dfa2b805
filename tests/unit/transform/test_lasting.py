"""A small change that lasts is a breach over several nights, with the mean of these nights."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from flows.config.load import Config
from flows.lake.lake import Lake, from_rows
from flows.transform.build import build
from flows.warehouse import query

pytestmark = pytest.mark.long  # builds a warehouse

LAST = date(2026, 3, 29)
DAYS = [LAST - timedelta(days=n) for n in range(35, -1, -1)]
CHANGED = DAYS[-7:]
CALLS = 500


def calls(day: date) -> list[dict[str, Any]]:
    """A route of independent callers on which a few more outputs than before are JSON lists."""
    rng = np.random.default_rng(day.toordinal())
    share = 0.27 if day in CHANGED else 0.2
    return [
        {
            "call_id": f"{day}-{n}",
            "user_key": f"{day}-{n}",
            "route": "r",
            "prompt_version": "v1",
            "model_served": "m",
            "input_text": "How many orders are there?",
            "output_text": "[1, 2]" if rng.random() < share else "Some. Really?" if rng.random() < 0.3 else "Some",
            "started_at": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
            "latency_ms": 100.0,
            "status": "success",
        }
        for n in range(CALLS)
    ]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Five weeks of calls, of which the last six nights are judged."""
    root = tmp_path_factory.mktemp("lasting")
    config = Config(path=root / "genchi.yaml", app="a", lake=root / "lake", warehouse=root / "warehouse.duckdb")
    for day in DAYS:
        Lake(config.lake).write("interactions", day, from_rows(calls(day), "interactions"))
    build(config, DAYS[-6], LAST)
    return config


def lists(days: list[date]) -> float:
    rows = [row for day in days for row in calls(day)]
    return float(np.mean([row["output_text"].startswith("[") for row in rows]))


def test_the_breach_says_over_how_many_nights_and_has_their_mean(config: Config) -> None:
    sql = "select * from marts.fct_feature_skew_daily where side = 'output' and feature = 'json_is_list' and day = ?"
    sql += " and reference = 'trailing' and model_served = '*' and prompt_version = '*'"
    (found,) = query(config.warehouse, sql, [LAST])
    assert (found["window_nights"], found["window_first_day"]) == (7, CHANGED[0])
    assert found["value_window"] == pytest.approx(lists(CHANGED))
    assert found["value_before_window"] == pytest.approx(lists(DAYS[:-7]))
    assert found["value_current"] == pytest.approx(lists([LAST]))
    told = "select * from marts.fct_breaches where day = ? and subject = 'r/output/json_is_list'"
    (breach,) = query(config.warehouse, told, [LAST])
    assert f"rose from {100 * lists(DAYS[:-7]):.1f} % (28 days before)" in breach["summary"]
    assert "over the last 7 nights up to 29 March" in breach["summary"]
    assert json.loads(breach["evidence_json"])["window_nights"] == 7


def test_the_outputs_of_a_route_are_one_series_more(config: Config) -> None:
    sql = "select side, moved, p_value from intermediate.int_series_tests where feature = 'output_profile' and day = ?"
    (found,) = query(config.warehouse, sql, [LAST])
    assert found["side"] == "output"
    assert len(found["moved"]) == 3
    assert any(name.startswith("json_") for name in found["moved"])  # what is no list is no JSON
    assert 0 < found["p_value"] < 0.05

"""A night is compared with the nights before it: its time, and the rows that its stages leave."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from expectations import night_suite, results
from expectations.checkpoints import new_context, run
from flows.config import Config, load_config
from flows.lake.lake import Lake, from_rows

DAY = date(2026, 3, 20)


def workspace(root: Path, more: str = "") -> Config:
    (root / "genchi.yaml").write_text(f"app: a\nlake: lake\n{more}", encoding="utf-8")
    return load_config(root / "genchi.yaml", {})


def ran(config: Config, day: date, stages: dict[str, tuple[float, int]]) -> None:
    at, run = datetime(day.year, day.month, day.day, 3, tzinfo=UTC), f"nightly-{day}"
    rows = [
        {"run": run, "stage": stage, "position": position, "started_at": at, "seconds": seconds, "rows": rows,
         "bytes": 1, "peak_memory_bytes": 1, "state": "ok"}
        for position, (stage, (seconds, rows)) in enumerate(stages.items(), 1)
    ]  # fmt: skip
    Lake(config.lake).write("night_runs", day, from_rows(rows, "night_runs"), run)


def found(config: Config) -> list[Any]:
    frame = night_suite.frame(config, DAY)
    return results.read("nights", frame, run(new_context(), night_suite.suite(config), frame))


def after_a_week(config: Config, tonight: dict[str, tuple[float, int]]) -> dict[tuple[str, str], Any]:
    for age in range(1, 8):
        usual = {"ingest": (60.0, 1000 - 300 * (age == 3)), "evaluate": (300.0, 90), "report": (900.0, 0)}
        ran(config, DAY - timedelta(days=age), usual)
    ran(config, DAY, tonight)
    return {(row.expectation, row.subject): row for row in found(config)}


def test_a_night_as_any_other_passes(tmp_path: Path) -> None:
    rows = after_a_week(workspace(tmp_path), {"ingest": (70.0, 800), "evaluate": (310.0, 88)})
    assert set(rows) == {
        ("night_as_fast_as_usual", "the night"),
        ("night_leaves_its_rows", "ingest"),
        ("night_leaves_its_rows", "evaluate"),
    }
    assert all(row.success for row in rows.values())


def test_a_night_that_takes_more_than_twice_its_time_is_a_warning_that_names_the_stage(tmp_path: Path) -> None:
    row = after_a_week(workspace(tmp_path), {"ingest": (70.0, 800), "evaluate": (700.0, 88)})[
        "night_as_fast_as_usual", "the night"
    ]
    assert (row.success, row.severity) == (False, "warning")
    assert row.expected == "at most 2 times the usual time of its stages"
    assert row.observed == "12.8 min until the checks, usually 6.0; the longest stage is evaluate (11.7 min)"


def test_a_stage_that_leaves_half_of_the_fewest_rows_is_a_warning(tmp_path: Path) -> None:
    rows = after_a_week(workspace(tmp_path), {"ingest": (60.0, 349), "evaluate": (300.0, 88)})
    row = rows["night_leaves_its_rows", "ingest"]
    assert (row.success, row.severity) == (False, "warning")
    assert row.observed == "349 rows, at least 700 in each of the nights before"
    assert rows["night_leaves_its_rows", "evaluate"].success


def test_rows_that_depend_on_how_much_people_review_are_not_compared(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    usual = {"labels": (1.0, 400), "ingest": (60.0, 1000), "shadow": (5.0, 50), "review": (2.0, 60), "rates": (3.0, 80)}
    for age in range(1, 8):
        ran(config, DAY - timedelta(days=age), usual)
    ran(config, DAY, {**usual, "labels": (1.0, 0), "shadow": (5.0, 1), "review": (2.0, 1), "rates": (3.0, 1)})
    assert {row.subject for row in found(config)} == {"ingest", "the night"}
    assert all(row.success for row in found(config))


def test_a_workspace_sets_both_limits(tmp_path: Path) -> None:
    config = workspace(tmp_path, "thresholds: {max_night_slowdown: 3, min_night_rows_share: 0.1}\n")
    assert all(row.success for row in after_a_week(config, {"ingest": (60.0, 349), "evaluate": (700.0, 88)}).values())


def test_some_seconds_more_are_no_news(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    for age in range(1, 8):
        ran(config, DAY - timedelta(days=age), {"ingest": (2.0, 10)})
    ran(config, DAY, {"ingest": (20.0, 10)})
    assert all(row.success for row in found(config))


@pytest.mark.parametrize("nights", [0, 6])
def test_nothing_is_usual_before_a_week_of_nights(tmp_path: Path, nights: int) -> None:
    config = workspace(tmp_path)
    for age in range(1, nights + 1):
        ran(config, DAY - timedelta(days=age), {"ingest": (1.0, 100)})
    ran(config, DAY, {"ingest": (900.0, 1)})
    assert found(config) == []


def test_a_night_that_was_not_recorded_is_not_judged(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    Lake(config.lake).create()
    assert found(config) == []

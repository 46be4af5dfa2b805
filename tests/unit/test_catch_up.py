"""Which nights did not run."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from flows import nightly
from flows.catch_up import missed_nights, run_missed
from flows.config import Config, load_config
from flows.errors import RunError
from flows.evaluate import EvalSetup, load_setup
from flows.lake.lake import Lake, from_rows
from flows.night import Night

DAY = date(2026, 3, 20)


def ago(days: int) -> date:
    return DAY - timedelta(days=days)


def workspace(root: Path, more: str = "") -> Config:
    (root / "genchi.yaml").write_text(f"app: a\nlake: lake\n{more}", encoding="utf-8")
    return load_config(root / "genchi.yaml", {})


def ran(config: Config, *days: date) -> None:
    for day in days:
        Lake(config.lake).write("expectation_results", day, from_rows([], "expectation_results"))


def began(config: Config, day: date, **states: str) -> None:
    """A night that recorded stages, each with its state."""
    run, at = f"nightly-{day}", datetime(2026, 3, 21, 3, tzinfo=UTC)
    rows = [
        {"run": run, "stage": stage, "position": position, "started_at": at, "state": state}
        for position, (stage, state) in enumerate(states.items(), 1)
    ]
    Lake(config.lake).write("night_runs", day, from_rows(rows, "night_runs"), run)


def landed(config: Config, day: date) -> None:
    Lake(config.lake).write("interactions", day, from_rows([], "interactions"))


def built(config: Config, *days: date) -> None:
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.fct_usage_daily (day date)")
        connection.executemany("insert into marts.fct_usage_daily values (?)", [[day] for day in days])


def test_a_first_night_catches_nothing_up(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    assert missed_nights(config, DAY) == []
    ran(config, DAY, DAY + timedelta(days=1))  # of days after it
    assert missed_nights(config, DAY) == []


def test_the_days_without_a_night_are_missed_oldest_first(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    ran(config, ago(5), ago(3))
    assert missed_nights(config, DAY) == [ago(4), ago(2), ago(1)]


@pytest.mark.parametrize(("more", "expected"), [("", 7), ("catch_up: 2\n", 2), ("catch_up: 0\n", 0)])
def test_no_more_days_are_caught_up_than_configured(tmp_path: Path, more: str, expected: int) -> None:
    config = workspace(tmp_path, more)
    ran(config, ago(30))
    assert missed_nights(config, DAY) == [ago(days) for days in range(expected, 0, -1)]


def test_what_a_backfill_has_built_is_not_missed(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    ran(config, ago(4))
    built(config, ago(2))
    assert missed_nights(config, DAY) == [ago(3), ago(1)]


def test_a_warehouse_without_the_mart_hides_no_missed_night(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    ran(config, ago(2))
    duckdb.connect(str(config.warehouse)).close()
    assert missed_nights(config, DAY) == [ago(1)]


def test_a_night_that_was_killed_after_its_drift_tables_is_missed(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    ran(config, ago(3))
    began(config, ago(2), ingest="ok", transform="ok")
    landed(config, ago(2))
    built(config, ago(3), ago(2), ago(1))
    assert missed_nights(config, DAY) == [ago(2)]


def test_a_first_night_that_was_killed_is_missed(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    began(config, ago(1), ingest="ok", transform="ok")
    landed(config, ago(1))
    built(config, ago(1))
    assert missed_nights(config, DAY) == [ago(1)]


def test_a_night_whose_checks_failed_was_told_and_is_not_missed(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    ran(config, ago(2))
    began(config, ago(1), ingest="ok", transform="ok", check="failed", report="ok", alert="ok")
    built(config, ago(1))
    assert missed_nights(config, DAY) == []


def test_a_missed_day_whose_logs_have_no_calls_is_looked_at_once(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    ran(config, ago(4))
    began(config, ago(3), labels="ok", ingest="ok")
    began(config, ago(2), labels="ok", ingest="failed")
    began(config, ago(1), ingest="ok")
    landed(config, ago(1))  # since then
    assert missed_nights(config, DAY) == [ago(2), ago(1)]


def test_a_record_of_stages_that_cannot_be_read_keeps_no_night_from_running(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    began(config, ago(1), ingest="ok")
    built(config, ago(1))
    Path(Lake(config.lake).partition("night_runs", ago(1), f"nightly-{ago(1)}")).write_bytes(b"no parquet")
    assert missed_nights(config, DAY) == [ago(1)]


def test_a_missed_night_whose_ingest_failed_fails_the_night_that_runs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("flows.progress.tell", told.append)

    def stages(_: EvalSetup, past: Night, __: EvalSetup) -> None:
        if past.day == ago(2):
            past.record("ingest", RunError("logs/2026-03-18.jsonl cannot be read"))

    config, night = workspace(tmp_path), Night(DAY)
    ran(config, ago(3))
    run_missed(load_setup(config), night, stages, lambda *_: None)
    assert night.failures == [f"night of {ago(2)}: {ago(2)}: ingest: logs/2026-03-18.jsonl cannot be read"]
    assert night.caught_up == []
    assert [line for line in told if "no calls" in line] == [f"the night of {ago(1)}: there are no calls of that day"]


@pytest.mark.parametrize("is_past", [True, False])
def test_the_judge_is_asked_about_a_night_but_not_about_one_that_is_caught_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_past: bool
) -> None:
    asked: list[bool] = []

    def fails(*_: object) -> None:
        raise RunError("not in this test")

    def score_night(*_: object, ask: bool) -> None:
        asked.append(ask)
        fails()

    stages = ("labels", "ingest", "semantics", "transform", "evaluated", "review", "export", "check", "report", "alert")
    for stage in stages:
        monkeypatch.setattr(nightly, stage, fails)
    monkeypatch.setattr(nightly, "report_without_prefect", fails)
    monkeypatch.setattr(nightly, "score_night", score_night)
    config = workspace(tmp_path)
    landed(config, DAY)
    setup = load_setup(config)
    nightly._stages(setup, Night(DAY), setup if is_past else None)
    assert asked == [not is_past]

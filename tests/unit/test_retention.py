"""What is too old goes, the numbers that were made of it stay."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows import retention
from flows.config import load
from flows.config.load import Config
from flows.errors import RunError
from flows.lake.lake import SCHEMAS, Lake, from_rows
from flows.marts import lake_tables
from flows.retention import OF_CALLS
from flows.transform.build import build
from flows.warehouse import query

TODAY = date(2026, 3, 20)
SECRET = "a text that must not stay"


def workspace(root: Path, kept: str = "{interactions: 5d}") -> Config:
    (root / "genchi.yaml").write_text(f"app: a\nlake: lake\nretention: {kept}\n", encoding="utf-8")
    return load.load_config(root / "genchi.yaml", {})


def land(settings: Config, day: date, count: int, **more: Any) -> None:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    rows = [
        {"call_id": f"{day}-{number}", "route": "r", "input_text": SECRET, "output_text": SECRET, "started_at": at,
         "status": "success", "cost_usd": 0.5, **more}
        for number in range(count)
    ]  # fmt: skip
    Lake(settings.lake).write("interactions", day, from_rows(rows, "interactions"))


def marts(settings: Config) -> dict[str, list[dict[str, Any]]]:
    """All rows of all marts, and of what they are rebuilt from."""
    names = query(
        settings.warehouse,
        "select table_schema || '.' || table_name as name from information_schema.tables"
        " where table_schema in ('marts', 'intermediate') order by name",
    )
    return {row["name"]: query(settings.warehouse, f"select * from {row['name']} order by all") for row in names}


def tables_of_calls(settings: Config) -> set[str]:
    """The tables with rows of calls that a build does not replace as a whole, as it does with the labels'."""
    found = query(
        settings.warehouse,
        "select distinct table_schema || '.' || table_name as name from information_schema.columns"
        " where column_name in ('subject_id', 'call_id') and table_name <> 'int_labels'",
    )
    return {row["name"] for row in found} | set(lake_tables(settings.open_lake().backend))


def test_what_is_older_than_it_is_kept_goes_and_the_rest_stays(tmp_path: Path) -> None:
    settings = workspace(tmp_path, "{interactions: 5d, quarantine: 1w, manifest: keep}")
    lake = Lake(settings.lake)
    lake.create()
    for age in range(12):
        day = TODAY - timedelta(days=age)
        land(settings, day, 2)
        for table in ("quarantine", "manifest", "feedback"):
            lake.write(table, day, from_rows([{SCHEMAS[table].names[0]: "x"}], table))
    assert retention.apply(settings, TODAY).summary() == "6 days of interactions, 4 days of quarantine"
    assert retention.apply(settings, TODAY).summary() == "nothing is older than `retention` allows"

    def full(table: str) -> int:
        return sum(len(lake.read(table, day)) > 0 for day in lake.days(table))

    assert [full(table) for table in ("interactions", "quarantine", "manifest", "feedback")] == [6, 8, 12, 12]
    assert len(lake.read("interactions", TODAY - timedelta(days=5))) == 2
    assert lake.partition("interactions", date(1970, 1, 1), "empty").exists()
    for path in (settings.lake / "interactions").rglob("*.parquet"):
        if path.parent.name < f"day={TODAY - timedelta(days=5)}":
            assert SECRET.encode() not in path.read_bytes()


def test_rows_that_come_late_are_removed_by_the_next_night(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    old = TODAY - timedelta(days=9)
    land(settings, old, 2)
    retention.apply(settings, TODAY)
    land(settings, old, 1)
    assert retention.apply(settings, TODAY).days == {"interactions": 1}
    assert len(Lake(settings.lake).read("interactions", old)) == 0


@pytest.mark.parametrize("table", ["feedback", "holdout_joins", "annotations", "review_strata", "criteria"])
def test_a_late_row_does_not_rebuild_a_day_without_what_people_said_of_it(tmp_path: Path, table: str) -> None:
    settings = workspace(tmp_path, f"{{{table}: 1d}}")
    old = TODAY - timedelta(days=2)
    Lake(settings.lake).write(table, old, from_rows([{SCHEMAS[table].names[0]: "x"}], table))
    assert retention.first_to_rebuild(settings, (old,), TODAY, TODAY) == old
    retention.apply(settings, TODAY)
    assert retention.first_to_rebuild(settings, (old,), TODAY, TODAY) == old + timedelta(days=1)


@pytest.mark.long
def test_the_numbers_of_a_day_outlive_its_rows_whatever_is_rebuilt(tmp_path: Path) -> None:
    settings = workspace(tmp_path)
    days = [TODAY - timedelta(days=age) for age in range(10, -1, -1)]
    for number, day in enumerate(days[:-1]):
        land(settings, day, 20 + number)
    build(settings, days[0], days[-2])
    assert tables_of_calls(settings) == set(OF_CALLS)
    before = marts(settings)
    assert retention.apply(settings, TODAY).days == {"interactions": 5}
    land(settings, days[2], 1)  # late: there are no others any more to count it with

    land(settings, days[-1], 30)
    build(settings, days[-1], days[-1])  # a night
    build(settings, days[0], days[-1])  # a backfill
    after = marts(settings)
    for name, rows in before.items():
        final = [row for row in rows if row["day"] <= days[4]]
        is_empty_here = any(
            word in name
            for word in (
                *("comparisons", "eval", "breach", "topic", "freshness", "frontier", "prompt"),
                *(
                    "production",
                    "flips",
                    "pin_integrity",
                    "holdout_versions",
                    "request_failures",
                    "incident",
                    "canned_outputs",
                    "failed_calls",
                    "users_daily",
                    "review",
                    "text_fields",
                    "criteria_drift",
                    "label",
                    "judge_alignment",
                    "review_strata",
                    "judge_anchors",
                    "feedback",
                    "call_signals",
                    "night_runs",
                ),
            )
        )
        assert final or is_empty_here, name
        assert [row for row in after[name] if row["day"] <= days[4]] == final
    usage = query(settings.warehouse, "select day, calls from marts.fct_usage_daily order by day")
    assert [row["calls"] for row in usage] == [*range(20, 30), 30]
    (skew,) = query(
        settings.warehouse,
        "select n_reference from marts.fct_feature_skew_daily where day = ? and feature = 'words' and side = 'input'"
        " and reference = 'trailing' and model_served = '*' and prompt_version = '*'",
        [days[-1]],
    )
    assert skew["n_reference"] == sum(range(20, 30))  # the trailing window has lost nothing
    with pytest.raises(RunError, match=r"^2026-03-12: its rows were removed by `retention`, so its numbers are final"):
        build(settings, days[1], days[2])
    assert marts(settings) == after

"""Whole nights on Spark: `genchi nightly` of a workspace with all that a team can add, beside the same on DuckDB."""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.config import load_config
from flows.ingest.landing import land_days
from flows.project import ROOT
from tests.spark.commands import genchi, published
from tests.spark.comparing import differences

pytest.importorskip("pyspark")
pytestmark = [pytest.mark.spark, pytest.mark.timeout(3600)]

EXAMPLE = ROOT / "tests" / "examples" / "workspace"
BEFORE, DAY = date(2026, 3, 3), date(2026, 3, 4)
OF_RUNS = "fct_night_runs"  # seconds, and when they were taken
# A check of a mart that fails, so that there is something to tell.
FAILING = """
import great_expectations.expectations as gxe


def frame(night):
    calls = f"from marts.fct_usage_daily where day = '{night.day}'"
    return night.marts(f"select route as subject, sum(calls) as calls {calls} group by route")


def suite(night):
    return [gxe.ExpectColumnValuesToBeBetween(column="calls", max_value=1, severity="warning")]
"""


@dataclass(frozen=True)
class Nights:
    """A workspace after a night: its folder, what the night printed, and the marts after it."""

    folder: Path
    told: str
    marts: dict[str, list[dict[str, Any]]]


def nights_of(folder: Path, engine: str) -> Nights:
    """A night of the example on an engine, which has built the day before: a model is new, which that day lacks."""
    shutil.copytree(EXAMPLE, folder)
    log = folder / "logs" / f"{DAY}.jsonl"
    log.write_text(
        log.read_text("utf-8").replace('"model_served": "desk-small-1"', '"model_served": "new"', 5), "utf-8"
    )
    with (folder / "genchi.yaml").open("a", encoding="utf-8") as file:
        file.write(f"user_key_secret: only-for-this-test\nengine: {engine}\n")
    (folder / "expectations" / "few.py").write_text(FAILING, encoding="utf-8")
    land_days(load_config(folder / "genchi.yaml"), BEFORE, BEFORE)
    genchi(folder, "transform", "--day", str(BEFORE))
    return Nights(folder, genchi(folder, "nightly", "--day", str(DAY)), published(folder / "genchi.yaml"))


@pytest.fixture(scope="module")
def on_spark(tmp_path_factory: pytest.TempPathFactory, remote: str) -> Nights:
    return nights_of(tmp_path_factory.mktemp("spark") / "desk", f'{{warehouse: spark, remote: "{remote}"}}')


@pytest.fixture(scope="module")
def on_duckdb(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    return nights_of(tmp_path_factory.mktemp("duckdb") / "desk", "{warehouse: duckdb}")


def stages(told: str) -> list[str]:
    return [line.split()[1] for line in told.splitlines() if line.startswith("✓")]


def test_every_stage_of_a_night_runs_and_says_the_same(on_spark: Nights, on_duckdb: Nights) -> None:
    assert {"ingest", "transform", "workspace", "check", "report", "alert"} <= set(stages(on_spark.told))
    assert stages(on_spark.told) == stages(on_duckdb.told)
    assert (on_spark.folder / "reports" / str(DAY) / "index.html").stat().st_size > 10_000
    sent = [(one.folder / "sent.txt").read_text("utf-8") for one in (on_spark, on_duckdb)]
    assert sent[0] == sent[1]
    assert sent[0].startswith(f"{DAY} warning ")


def test_the_marts_of_a_night_are_the_same(on_spark: Nights, on_duckdb: Nights) -> None:
    assert sorted(on_spark.marts) == sorted(on_duckdb.marts)
    assert {row["day"] for row in on_spark.marts["desk_questions_daily"]} == {BEFORE, DAY}
    unlike = {
        name: found[:3]
        for name, rows in on_duckdb.marts.items()
        if name != OF_RUNS and (found := differences(rows, on_spark.marts[name]))
    }
    assert unlike == {}


def test_own_features_are_computed_as_duckdb_does(on_spark: Nights) -> None:
    found = {row["feature"] for row in on_spark.marts["fct_feature_skew_daily"] if row["day"] == DAY}
    assert {"greets", "digit_count", "names_day_again"} <= found

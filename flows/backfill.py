"""`genchi backfill`: ingest logs and rebuild the marts for a range of days, without checks, reports and alerts.

Models are called only with `only="evaluate"`, which reuses every stored answer to the same request.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Literal

from prefect import flow

from flows.config import load_config
from flows.errors import ConfigError
from flows.evaluate import EvalSetup, load_setup
from flows.evaluate.flow import check_production
from flows.ingest.flow import freeze, land_days
from flows.lake import each_day
from flows.nightly import evaluated
from flows.prefect_run import described, stage
from flows.retention import first_to_rebuild
from flows.semantics import check_embedding
from flows.semantics.flow import semantics
from flows.transform.flow import transform
from flows.warehouse import query

Stage = Literal["ingest", "transform", "evaluate"]


@dataclass(frozen=True)
class Backfilled:
    """The result of a backfill. `breaches` is the number of breaches that began on each day, without days of none;
    `critical` how many critical breaches its days have, those that went on included."""

    first: date
    last: date
    breaches: dict[date, int]
    critical: int = 0


@flow(name="backfill", persist_result=False)
def backfill(start: date, end: date, config_path: str = "genchi.yaml", only: Stage | None = None) -> Backfilled:
    """Ingest and transform every day from `start` to `end`, both included; or run only the stage `only`.

    Raises ConfigError for a wrong configuration or range of days, and RunError if a stage fails.
    """
    return _backfill(load_setup(load_config(config_path)), start, end, only)


@flow(name="backfill", persist_result=False)
def run_backfill(setup: EvalSetup, start: date, end: date, only: Stage | None = None) -> Backfilled:
    """As `backfill`, with a configuration that is already loaded."""
    return _backfill(setup, start, end, only)


def _backfill(setup: EvalSetup, start: date, end: date, only: Stage | None) -> Backfilled:
    if end < start:
        raise ConfigError(f"--end {end} is before --start {start}")
    config = setup.config
    check_embedding(config)
    with described(f"backfill {start} to {end}", config.app), config.open_lake().lock("backfill"):
        return _days(setup, start, end, only)


def _days(setup: EvalSetup, start: date, end: date, only: Stage | None) -> Backfilled:
    config, first = setup.config, start
    if only in (None, "ingest"):
        config.require_for_ingest()
        config.require_for_semantics()
        with stage("ingest") as current:
            landed = land_days(config, start, end)
            current.outcome = landed.summary()
            first = first_to_rebuild(config, landed.days, start, end)
        with stage("semantics") as current:
            current.outcome = semantics(config, first, end).summary()
        with stage("production") as current:
            current.outcome = check_production(setup, first, end).summary()
    if only == "evaluate":
        setup.require_evaluation()
        for day in each_day(start, end):
            with stage(f"evaluate {day}") as current:
                freeze(config, day)
                current.outcome = evaluated(setup, day, other_nights=True)
    with stage("transform") as current:
        current.outcome = transform(config, first, end).summary()
    found = query(
        config.warehouse,
        "select day, first_seen, severity from marts.fct_breaches where day between ? and ? order by day",
        [start, end],
    )
    began = Counter(row["day"] for row in found if row["day"] == row["first_seen"])
    return Backfilled(start, end, dict(began), sum(row["severity"] == "critical" for row in found))

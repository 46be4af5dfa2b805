"""`genchi backfill`: ingest logs, rebuild the marts and write the pages for a range of days, without checks and alerts.

Only the last days get a page of their own (`PAGES`): one costs about a second. All are in the index over nights.
Models are called only with `only="evaluate"`, which reuses every stored answer to the same request.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from prefect import flow

from flows.config import load_config
from flows.errors import ConfigError
from flows.evaluate import EvalSetup, load_setup
from flows.evaluate.flow import check_production
from flows.extensions import check_extensions
from flows.ingest.flow import freeze, land_days
from flows.lake import each_day
from flows.nightly import evaluated
from flows.prefect_run import described, stage
from flows.report.flow import report_days
from flows.retention import first_to_rebuild
from flows.semantics.flow import semantics
from flows.transform.flow import transform
from flows.warehouse import query

Stage = Literal["ingest", "transform", "evaluate"]


PAGES = 7  # days at the end of the range that get a page

_INCIDENTS = """
    select day, severity, title, state
    from marts.fct_incidents
    where day between ? and ? and state in ('open', 'ongoing') and severity <> 'info'
    order by day, array_position(['critical', 'warning'], severity), n_breaches desc, incident_id
"""


@dataclass(frozen=True)
class Began:
    """An incident on the day on which it began."""

    day: date
    severity: str
    title: str


@dataclass(frozen=True)
class Backfilled:
    """The result of a backfill. `began` are the incidents above information that began on its days, in their order;
    `critical` how many critical incidents its days have, those that went on included. `index` is the index of pages."""

    first: date
    last: date
    began: tuple[Began, ...]
    critical: int = 0
    index: Path | None = None


@flow(name="backfill", persist_result=False)
def backfill(start: date, end: date, config_path: str = "genchi.yaml", only: Stage | None = None) -> Backfilled:
    """Ingest and transform every day from `start` to `end`, both included; or run only the stage `only`.

    Raises ConfigError for a wrong configuration or range of days, and RunError if a stage fails.

    Args:
        start: The first day.
        end: The last day.
        config_path: The absolute path of the workspace's genchi.yaml, where the worker runs.
        only: One stage alone. Without one: ingest and transform. evaluate asks live models, which may cost money.
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
    check_extensions(config)
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
    with stage("report") as current:
        index = report_days(config, max(start, end - timedelta(days=PAGES - 1)), end)
        current.outcome = str(index)
    found = query(config.warehouse, _INCIDENTS, [start, end])
    began = tuple(Began(row["day"], row["severity"], row["title"]) for row in found if row["state"] == "open")
    return Backfilled(start, end, began, sum(row["severity"] == "critical" for row in found), index)

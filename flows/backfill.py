"""The same night over a range of days, without its alerts: logs landed and every mart rebuilt.

Live models are not asked again about the past unless told; answers that are stored are reused.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Literal

from prefect import flow

from flows import config as configuration
from flows.errors import ConfigError
from flows.evaluate.flow import evaluate, structure
from flows.ingest.flow import freeze, land
from flows.lake import each_day
from flows.progress import step
from flows.transform.flow import transform
from flows.warehouse import query

Stage = Literal["ingest", "transform", "evaluate"]


@dataclass(frozen=True)
class Backfilled:
    """What a range of days came to. `breaches` counts those that began on each day."""

    first: date
    last: date
    interactions: int
    quarantined: int
    breaches: dict[date, int]


@flow(name="backfill", persist_result=False)
def backfill(start: date, end: date, config_path: str = "genchi.yaml", only: Stage | None = None) -> Backfilled:
    """Land, transform and (only where told) evaluate every day from `start` to `end`, both included."""
    if end < start:
        raise ConfigError(f"--end {end} lies before --start {start}")
    config = configuration.load(config_path)
    interactions = quarantined = 0
    if only in (None, "ingest"):
        with step("ingest") as current:
            for day in each_day(start, end):
                freeze(config_path, day)
                landed = land(config_path, day)
                structure(config_path, day)
                interactions += landed.interactions
                quarantined += landed.quarantined
            days = (end - start).days + 1
            current.outcome = f"{interactions:,} calls on {days} days, {quarantined:,} records quarantined"
    if only == "evaluate":
        with step("evaluate") as current:
            for day in each_day(start, end):
                freeze(config_path, day)
                current.outcome = evaluate(config_path, day, other_nights=True).summary()
    with step("transform") as current:
        current.outcome = transform(config_path, start, end).summary()
    began = query(
        config.warehouse,
        "select first_seen from marts.fct_breaches where day = first_seen and day between ? and ?",
        [start, end],
    )
    return Backfilled(start, end, interactions, quarantined, dict(Counter(row["first_seen"] for row in began)))

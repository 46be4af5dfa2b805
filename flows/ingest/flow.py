"""The wiring of ingest: a night's files and test sets into the lake."""

from datetime import date

from prefect import flow, task

from flows.config import load_config
from flows.ingest import example_sets, landing


@task(name="land logs", persist_result=False)
def land(config_path: str, day: date) -> landing.Landed:
    """Read the day's log files."""
    return landing.land(load_config(config_path), day)


@task(name="freeze test sets", persist_result=False)
def freeze(config_path: str, day: date) -> int:
    """Land the dev set and the holdouts as they stand, and count the examples."""
    return len(example_sets.freeze(load_config(config_path), day))


@task(name="land days", persist_result=False)
def land_days(config_path: str, first: date, last: date) -> landing.Landed:
    """Read the log files and test sets of every day from `first` to `last`: one task, for a task a day costs more."""
    config = load_config(config_path)
    example_sets.freeze_days(config, first, last)
    return landing.land_days(config, first, last)


@flow(name="ingest", persist_result=False)
def ingest(config_path: str, day: date) -> landing.Landed:
    """The day's logs and test sets, in the lake."""
    freeze(config_path, day)
    return land(config_path, day)

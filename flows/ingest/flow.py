"""The wiring of ingest: a night's files and test sets into the lake."""

from datetime import date

from flows.config import Config
from flows.ingest import example_sets, landing
from flows.prefect_run import STAGE_S, flow, task


@task(name="land logs", task_run_name="land logs {day}")
def land(config: Config, day: date) -> landing.Landed:
    """Read the day's log files."""
    return landing.land(config, day)


@task(name="freeze test sets", task_run_name="freeze test sets {day}")
def freeze(config: Config, day: date) -> int:
    """Land the dev set and the holdouts as they stand, and count the examples."""
    return len(example_sets.freeze(config, day))


@task(name="land days", task_run_name="land {first} to {last}")
def land_days(config: Config, first: date, last: date) -> landing.Landed:
    """Read the log files and test sets of every day from `first` to `last`: one task, for a task a day costs more."""
    landed = landing.land_days(config, first, last)
    example_sets.freeze_days(config, first, last)
    return landed


@flow(name="ingest", flow_run_name="ingest {day}", timeout_seconds=STAGE_S)
def ingest(config: Config, day: date) -> landing.Landed:
    """The day's logs and test sets, in the lake."""
    landed = land(config, day)
    freeze(config, day)  # after the logs, whose routes say whether a test set has to name them
    return landed

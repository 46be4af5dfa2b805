"""The flows that Prefect deploys: each loads the configuration from a path, and checks and describes its parameters.

Only Prefect imports this module. The command line calls the same runs without it; see `flows/prefect_run.py`.
"""

from datetime import date

from prefect import flow

from flows import progress
from flows.backfill import PAGES, Backfilled, Request, estimated, whole_backfill
from flows.backfill_days import Stage
from flows.config import load_config
from flows.evaluate import load_setup
from flows.night import Night
from flows.nightly import whole_evaluation, whole_night


@flow(name="nightly", persist_result=False)
def nightly(config_path: str = "genchi.yaml", day: date | None = None) -> Night:
    """Run one whole night.

    Raises ConfigError for a wrong configuration: before the night, or at its end if a stage found it; and
    NightFailedError at its end if another stage failed.

    Args:
        config_path: The absolute path of the workspace's genchi.yaml, where the worker runs.
        day: The day to check, whose logs are complete. Without one: yesterday, in the workspace's time zone.
    """
    return whole_night(load_setup(load_config(config_path)), day)


@flow(name="evaluate-day", persist_result=False)
def evaluate_day(config_path: str = "genchi.yaml", day: date | None = None) -> list[str]:
    """`genchi evaluate`: run the holdouts for one day, and compare the models. Returns its critical failures.

    Args:
        config_path: The absolute path of the workspace's genchi.yaml, where the worker runs.
        day: The night under which the results are stored. Without one: yesterday, in the workspace's time zone.
    """
    return whole_evaluation(load_setup(load_config(config_path)), day)


@flow(name="backfill", persist_result=False)
def backfill(
    start: date,
    end: date,
    config_path: str = "genchi.yaml",
    *,
    only: Stage | None = None,
    force: bool = False,
    dry_run: bool = False,
    pages: int = PAGES,
) -> Backfilled:
    """Ingest and transform every day from `start` to `end`, both included; or run only the stage `only`.

    Raises ConfigError for a wrong configuration or range of days, and RunError if a stage fails.

    Args:
        start: The first day.
        end: The last day.
        config_path: The absolute path of the workspace's genchi.yaml, where the worker runs.
        only: One stage alone. Without one: ingest and transform. evaluate asks live models, which may cost money.
        force: Do all days again, also those that are done and unchanged.
        dry_run: Say in the log what there is to do and how long it takes, and write nothing.
        pages: How many of the last days get a page of their own. One takes about a second.
    """
    request, setup = Request(start, end, only, force, pages), load_setup(load_config(config_path))
    if dry_run:
        for line in estimated(setup, request):
            progress.tell(line)
        return Backfilled(start, end)
    return whole_backfill(setup, request)

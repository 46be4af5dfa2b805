"""The build of the warehouse for a range of days."""

import glob
import logging
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from flows.config import Config
from flows.errors import RunError
from flows.project import DBT_PROJECT
from flows.retention import first_rebuildable_day
from flows.transform.dictionary import write_words
from flows.transform.runner import Node, run_dbt

logger = logging.getLogger(__name__)

# What a night builds before the evaluation, and after it.
MONITORING = "+path:models/marts/monitoring +tag:evidence"
EVALUATION = "path:models/marts/evaluation+"
# What one comparison by hand needs, on a new warehouse too.
COMPARISON = "+path:models/marts/evaluation"


@dataclass(frozen=True)
class BuildResult:
    """What a build did: its days, the numbers of models and seeds built and of tests passed, and its seconds."""

    first: date
    last: date
    models: int
    seeds: int
    tests: int
    seconds: float

    def summary(self) -> str:
        """The counts in words, for a line."""
        return f"{self.models} models built, {self.tests} tests passed"


def build(config: Config, first: date, last: date, select: str | None = None) -> BuildResult:
    """Build the warehouse for the days from `first` to `last`, both included, and test it.

    Days of the trailing window that the warehouse lacks are filled in from the lake. Days whose rows `retention` has
    removed, and those before them, keep their numbers. `select` is a selection in dbt's words; None is everything.
    The unit tests of dbt's models do not run. The same days again give the same tables. Raises RunError where a node
    fails, where `select` matches none, where `retention` leaves nothing to build, and where another process uses the
    warehouse.
    """
    started = time.monotonic()
    asked, first = first, first_rebuildable_day(config, first, last)
    if first > last:
        raise RunError(
            f"{last}: its rows were removed by `retention`, so its numbers are final and cannot be rebuilt;"
            " choose a later day"
        )
    if first > asked:
        logger.info(
            "the numbers up to %s are final: `retention` has removed their rows",
            first - timedelta(days=1),
        )
    config.open_lake().create()
    nodes = _run(config, first, last, [] if select is None else ["--select", select])
    if not nodes:
        raise RunError(f"dbt: the selection {select!r} matches no node of {DBT_PROJECT}")
    counts = Counter(node.kind for node in nodes)
    result = BuildResult(first, last, counts["model"], counts["seed"], counts["test"], time.monotonic() - started)
    logger.info("built %s models and passed %s tests in %.1f s", result.models, result.tests, result.seconds)
    return result


def _run(config: Config, first: date, last: date, selection: list[str]) -> list[Node]:
    return run_dbt(
        config,
        ["build", "--exclude-resource-type", "unit_test", *selection],
        variables(config),
        {"GENCHI_FIRST_DAY": first.isoformat(), "GENCHI_LAST_DAY": last.isoformat()},
    )


def variables(config: Config) -> dict[str, object]:
    """The vars of dbt_project.yml for this workspace.

    Paths are escaped, for dbt reads them as patterns. Writes the dictionary where it is missing.
    """
    return {
        "lake": glob.escape(str(config.lake)) if isinstance(config.lake, Path) else config.lake,
        "words": glob.escape(str(write_words(config.open_lake()))),
        "window_days": config.window_days,
        "risk": config.risk,
    }

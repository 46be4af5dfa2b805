"""The build of the warehouse for a range of days."""

import logging
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from flows import progress
from flows.config import Config
from flows.errors import RunError
from flows.lake import UNWRAPPED, in_one_text
from flows.project import DBT_PROJECT
from flows.retention import first_rebuildable_day, require_rebuildable
from flows.transform.built_before import PROJECT, WHOLE, has_traffic_alone, project_of
from flows.transform.dbt_runner import NOTHING_WRITTEN, Node, run_dbt
from flows.transform.feature_expressions import checked_features
from flows.transform.spark_build import publish_built
from flows.transform.spark_session import is_on_spark
from flows.warehouse import damage_of, query

logger = logging.getLogger(__name__)

# The selectors of dbt_project/selectors.yml: all, the parts that a night builds before and after the evaluation, the
# part that one comparison by hand needs, and the part that labels change.
EVERYTHING, MONITORING, EVALUATION, COMPARISON = "everything", "monitoring", "evaluation", "comparison"
REVIEW, _TRAFFIC = "review", "traffic"
_DAYS_OF = ("interactions", "completions", "scores", "examples")
# As in the selectors: only tables are built and tested, their keys within their own nodes.
_KEPT = ("--exclude", "config.materialized:ephemeral", "test_name:is_key_on,path:models")


@dataclass(frozen=True)
class BuildResult:
    """The results of a build: its days, the numbers of models and seeds built and of tests passed, and its seconds."""

    first: date
    last: date
    models: int
    seeds: int
    tests: int
    seconds: float

    def summary(self) -> str:
        """The counts in words, for one line."""
        return f"{self.models} models built, {self.tests} tests passed"


def build(
    config: Config, first: date, last: date, selector: str = EVERYTHING, select: str | None = None
) -> BuildResult:
    """Build the warehouse for the days from `first` to `last`, both included, and test it.

    Of everything, what cannot have changed is left out (`built_before.py`).
    Days of the trailing window that the warehouse lacks are filled in from the lake. Days whose rows `retention` has
    removed, and those before them, keep their numbers. A damaged warehouse is put aside, and built anew for all days of
    the lake. `selector` is a name in selectors.yml; `select`, in dbt's node
    selection syntax, replaces it. dbt's unit tests and the tests of models that are not kept do not run. Building the
    same days again gives the same tables. Raises RunError if a node fails, if the selection matches no node, if
    `retention` leaves nothing to build, and if another process uses the warehouse.
    """
    started = time.monotonic()
    asked, first = first, require_rebuildable(config, first, last)
    if first > asked:
        logger.info(
            "the numbers up to %s are final: `retention` has removed their rows",
            first - timedelta(days=1),
        )
    config.open_lake().create()
    selection = ["--selector", selector] if select is None else ["--select", select, *_KEPT]
    damage = damage_of(config.warehouse)
    if not damage:
        try:
            nodes = _run(config, first, last, selection)
        except RunError:
            damage = damage_of(config.warehouse, is_whole=True)
            if not damage:
                _raise_if_corrupt(config)
                raise
    if damage:
        _raise_if_corrupt(config)  # before the old numbers are put aside
        first, last = put_aside(config, damage, first, last)
        nodes = _run(config, first, last, ["--selector", EVERYTHING])
    if not nodes:
        raise RunError(f"dbt: the selection {select or selector!r} matches no node of {DBT_PROJECT}")
    if is_on_spark(config):
        publish_built(config, first, last)
    counts = Counter(node.kind for node in nodes)
    tests = counts["test"] + counts["model"]  # the key of each model is tested in its own node
    result = BuildResult(first, last, counts["model"], counts["seed"], tests, time.monotonic() - started)
    logger.info("built %s models and passed %s tests in %.1f s", result.models, result.tests, result.seconds)
    return result


def _raise_if_corrupt(config: Config) -> None:
    """Raise RunError if files of the lake are not as they were published: then this is why a build failed."""
    if faults := config.open_lake().faults(is_deep=True):
        raise RunError(f"the lake: {in_one_text(faults)}")


def put_aside(config: Config, damage: str, first: date, last: date) -> tuple[date, date]:
    """Rename a damaged warehouse, and say so. Returns the days to build: all of the lake, and those from `first` on."""
    aside = config.warehouse.with_name(f"{config.warehouse.name}.damaged")
    log_of_writes = config.warehouse.with_name(f"{config.warehouse.name}.wal")
    config.warehouse.replace(aside)
    if log_of_writes.exists():
        log_of_writes.replace(aside.with_name(f"{aside.name}.wal"))
    days = [day for table in _DAYS_OF for day in config.open_lake().days(table)]
    last = max([last, *days])
    first = first_rebuildable_day(config, min([first, *days]), last)
    progress.tell(
        f"{config.warehouse} is damaged ({damage}): it is kept as {aside.name} and built anew from the lake for"
        f" {first} to {last}; numbers of days whose rows `retention` has removed are in {aside.name} only"
    )
    return first, last


def migrate(config: Config) -> int | None:
    """Migrate an older warehouse, as the next build would (macros/warehouse_version.sql). Returns its version.

    None if there is no warehouse yet. Raises RunError for a warehouse of a later version of genchi, or a damaged one.
    """
    if not config.warehouse.exists():
        return None
    if damage := damage_of(config.warehouse):
        raise RunError(f"{config.warehouse}: is damaged ({damage}); `genchi transform` builds it anew from the lake")
    run_dbt(config, ["seed"], variables(config), {})
    version: int = query(config.warehouse, "select version from meta.warehouse_version")[0]["version"]
    return version


def _run(config: Config, first: date, last: date, selection: list[str]) -> list[Node]:
    known = variables(config)
    environment = {PROJECT: project_of(known), **days_of_build(first, last)}
    if selection == ["--selector", EVERYTHING] and not is_on_spark(config):
        if has_traffic_alone(config, environment[PROJECT]):
            selection = ["--selector", _TRAFFIC]
        else:
            environment[WHOLE] = "1"
    return run_dbt(
        config, ["build", NOTHING_WRITTEN, "--exclude-resource-type", "unit_test", *selection], known, environment
    )


def days_of_build(first: date, last: date) -> dict[str, str]:
    """The days from `first` to `last` as dbt reads them from the environment (macros/days.sql)."""
    return {"GENCHI_FIRST_DAY": first.isoformat(), "GENCHI_LAST_DAY": last.isoformat()}


def variables(config: Config) -> dict[str, object]:
    """The vars of dbt_project.yml for this workspace. Raises ConfigError for a wrong features.csv."""
    return {
        "window_days": config.window_days,
        "risk": config.risk,
        "route_risks": [{"route": name, "risk": one.risk} for name, one in config.routes.items() if one.risk],
        "thresholds": dict(config.thresholds),
        "mutes": [mute.model_dump(mode="json") for mute in config.mute],
        "evidence": config.evidence,
        "features": checked_features(config.workspace),
        "unwrapped_suffix": UNWRAPPED,
    }

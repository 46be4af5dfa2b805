"""The night, readable top to bottom; and the verbs that are a part of it.

A night goes on where one of its stages fails: a provider that is down must not hide the drift tables, and a
drift failure must not stop the evaluation. What failed is said at the end, and the run is then a failed one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from prefect import flow, task

from flows import retention
from flows.alerts.flow import alert
from flows.config import Config, load_config
from flows.errors import ConfigError, RunError, in_one_line
from flows.evaluate import ModelPair, check_setup
from flows.evaluate.flow import evaluate, evaluate_two, score_production, shadow
from flows.ingest.flow import freeze, ingest
from flows.llm import register_local_providers
from flows.progress import Step, step
from flows.report.flow import report
from flows.semantics import check_embedding
from flows.semantics.flow import semantics
from flows.transform import COMPARISON, EVALUATION, MONITORING
from flows.transform.flow import transform

# Rows that are older than this when they arrive are landed; their marts wait for a backfill.
_LATE_DAYS = 60


@dataclass
class Night:
    """What a night came to. `headline` is its verdict in words, `page` where it is laid out."""

    day: date
    headline: str = ""
    page: Path | None = None
    critical: int = 0
    failures: list[str] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[Step]:
        """A stage that may fail without ending the night. A wrong configuration still ends it."""
        try:
            with step(name) as current:
                yield current
        except ConfigError:
            raise
        except (Exception, SystemExit) as error:  # whatever a stage raises, the others still have something to say
            self.failures.append(f"{name}: {in_one_line(error)}")


class NightFailedError(RunError):
    """A stage of the night failed; the others ran, and `night` is what they came to."""

    def __init__(self, night: Night) -> None:
        super().__init__(f"{night.day}: {'; '.join(night.failures)}")
        self.night = night


@task(name="check", persist_result=False)
def check(config_path: str, day: date, failures: list[str]) -> tuple[int, int]:
    """Validate every suite that applies; how many expectations were checked, and how many failed."""
    from expectations.validate import validate  # noqa: PLC0415 - imported late: great_expectations takes seconds

    results = validate(load_config(config_path), day, failures)
    return len(results), sum(not result.success for result in results)


@flow(name="nightly", persist_result=False)
def nightly(config_path: str = "genchi.yaml", day: date | None = None) -> Night:
    """One whole night. Raises NightFailedError at its end where a stage failed, and ConfigError before its start."""
    config = load_config(config_path)
    check_setup(config)
    check_embedding(config)
    day = day or config.yesterday()
    with config.open_lake().lock("nightly"):
        return _night(config, config_path, day)


def _night(config: Config, config_path: str, day: date) -> Night:
    night = Night(day)
    first = day
    with night.stage("ingest") as current:
        landed = ingest(config_path, day)
        current.outcome = landed.summary()
        first = retention.first_rebuildable_day(config, first_touched(landed.days, day), day)
    with night.stage("semantics") as current:
        current.outcome = semantics(config_path, first, day).summary()
    with night.stage("structure") as current:
        current.outcome = score_production(config_path, first, day, ask=True).summary()
    with night.stage("transform") as current:
        # Whole at once where nothing is evaluated; else the drift tables first, which a provider that is down must
        # not hide.
        current.outcome = transform(config_path, first, day, MONITORING if evaluates(config) else None).summary()
    with night.stage("evaluate") as current:
        current.outcome = evaluated(config, config_path, day)
    if evaluates(config) and config.shadow.samples_per_day:
        with night.stage("shadow") as current:
            current.outcome = shadow(config_path, day).summary()
    if evaluates(config):
        with night.stage("compare") as current:
            current.outcome = transform(config_path, day, day, EVALUATION).summary()
    with night.stage("check") as current:
        checked, failed = check(config_path, day, night.failures)
        current.outcome = f"{checked} expectations, {failed} failed"
    with night.stage("report") as current:
        laid_out = report(config_path, day)
        night.headline, night.page = laid_out.headline, laid_out.path
        current.outcome = str(laid_out.path)
    with night.stage("alert") as current:
        alerted = alert(config_path, day)
        night.critical = alerted.failed_critical
        current.outcome = alerted.summary()
    if config.retention:
        with night.stage("retention") as current:
            current.outcome = retention.apply(config, config.yesterday()).summary()
    if night.failures:
        raise NightFailedError(night)
    return night


@flow(name="ingest-day", persist_result=False)
def ingest_day(config_path: str = "genchi.yaml", day: date | None = None) -> None:
    """`genchi ingest`: land one day, and bring the monitoring marts up to date."""
    config = load_config(config_path)
    day = day or config.yesterday()
    with config.open_lake().lock("ingest"):
        with step("ingest") as current:
            landed = ingest(config_path, day)
            current.outcome = landed.summary()
        first = retention.first_rebuildable_day(config, first_touched(landed.days, day), day)
        with step("semantics") as current:
            current.outcome = semantics(config_path, first, day).summary()
        score_production(config_path, first, day)
        transform_days(config_path, first, day)


@flow(name="transform-days", persist_result=False)
def transform_days(config_path: str = "genchi.yaml", first: date | None = None, last: date | None = None) -> None:
    """`genchi transform`: rebuild every mart for the days from `first` to `last`."""
    config = load_config(config_path)
    last = last or config.yesterday()
    with config.open_lake().lock("transform"), step("transform") as current:
        current.outcome = transform(config_path, first or last, last).summary()


@flow(name="evaluate-day", persist_result=False)
def evaluate_day(config_path: str = "genchi.yaml", day: date | None = None) -> None:
    """`genchi evaluate`: rerun the holdouts for one night, and compare."""
    config = load_config(config_path)
    day = day or config.yesterday()
    config.require_evaluation()
    with config.open_lake().lock("evaluate"):
        freeze(config_path, day)
        with step("evaluate") as current:
            current.outcome = evaluated(config, config_path, day)
        if config.shadow.samples_per_day:
            with step("shadow") as current:
                current.outcome = shadow(config_path, day).summary()
        transform_days(config_path, day, day)


@flow(name="compare", persist_result=False)
def compare_models(versus: ModelPair, config_path: str = "genchi.yaml", day: date | None = None) -> str:
    """`genchi compare`: two models on one route, as the night would; the run_id under which marts hold the verdict."""
    config = load_config(config_path)
    day = day or config.yesterday()
    register_local_providers(model.model for model in versus.narrowed(config).all_models())
    with config.open_lake().lock("compare"):
        freeze(config_path, day)
        with step("evaluate") as current:
            current.outcome = evaluate_two(config_path, day, versus).summary()
        with step("compare") as current:
            current.outcome = transform(config_path, day, day, COMPARISON).summary()
    return versus.run_id(config, day)


def first_touched(days: tuple[date, ...], day: date) -> date:
    """The first day to rebuild: the earliest that late rows reached, within reason."""
    return min([day, *(touched for touched in days if day - timedelta(days=_LATE_DAYS) <= touched <= day)])


def evaluates(config: Config) -> bool:
    """Whether there is anything to evaluate."""
    return bool(config.models and config.evaluated_routes())


def evaluated(config: Config, config_path: str, day: date, *, other_nights: bool = False) -> str:
    """Evaluate one night whose test sets are frozen, and say what came of it."""
    if not evaluates(config):
        return "nothing to evaluate: no models, or no route with a holdout and criteria"
    register_local_providers(model.model for model in config.all_models())
    return evaluate(config_path, day, other_nights).summary()

"""The nightly run, stage by stage, and the verbs that run a part of it.

If a stage fails, the others still run: a provider that is down must not hide the drift tables, and a failure in the
drift tables must not stop the evaluation. The failures are handed to the page and to the digest, and the run then
counts as failed. Page and digest are made without Prefect where it fails itself, as on a full disk.

Each verb has two flows: `nightly` loads the configuration from a path, for deployments; `run_nightly` takes one that is
already loaded. After that, only logs and test sets are read from the workspace.
"""

from contextlib import suppress
from datetime import date
from typing import cast

from prefect import flow, task
from prefect.states import Completed

from flows import retention
from flows.alerts.flow import alert, alert_without_prefect
from flows.config import Config, load_config, unset_variables
from flows.errors import GenchiError, RunError
from flows.evaluate import EvalSetup, load_setup
from flows.evaluate.flow import evaluate, score_production, shadow
from flows.ingest.flow import freeze, ingest
from flows.lake import in_one_text
from flows.llm import register_local_providers
from flows.night import Night, NightFailedError
from flows.prefect_run import STAGE_S, TASK, announce_night, described, stage
from flows.report.flow import report, report_without_prefect
from flows.semantics import check_embedding
from flows.semantics.flow import semantics
from flows.transform import COMPARISON, EVALUATION, EVERYTHING, MONITORING
from flows.transform.flow import transform

CRITICAL_FINDINGS = "Critical findings"


@task(name="check", task_run_name="check {day}", timeout_seconds=STAGE_S, **TASK)
def check(config: Config, day: date, failures: list[str]) -> tuple[int, int]:
    """Validate every suite that applies. Returns the number of expectations, and how many of them failed."""
    from expectations.validate import validate  # noqa: PLC0415 - imported late: great_expectations takes seconds

    results = validate(config, day, failures)
    return len(results), sum(not result.success for result in results)


@task(name="check the evaluation", task_run_name="check the evaluation {day}", timeout_seconds=STAGE_S, **TASK)
def check_evaluation(config: Config, day: date) -> list[str]:
    """The critical failures of a day's test sets, answers and verdicts, a sentence each. Nothing is stored."""
    from expectations.validate import failures_of_evaluation  # noqa: PLC0415 - as above

    return [f"{found.subject}: {found.observed}" for found in failures_of_evaluation(config, day)]


@flow(name="nightly", persist_result=False)
def nightly(config_path: str = "genchi.yaml", day: date | None = None) -> Night:
    """Run one whole night.

    Raises ConfigError for a wrong configuration: before the night, or at its end if a stage found it; and
    NightFailedError at its end if another stage failed.
    """
    return _nightly(load_setup(load_config(config_path)), day)


@flow(name="nightly", persist_result=False)
def run_nightly(setup: EvalSetup, day: date | None = None) -> Night:
    """The same, with a configuration that is already loaded."""
    return _nightly(setup, day)


def run_told(setup: EvalSetup, day: date) -> Night:
    """`run_nightly`, with a digest also where Prefect itself fails and the night did not run, or not to its end."""
    try:
        return run_nightly(setup, day)
    except GenchiError:
        raise
    except Exception as error:
        night = Night(day)
        night.record("night", error)
        tell(setup.config, night)
        raise NightFailedError(night) from error


def _nightly(setup: EvalSetup, day: date | None) -> Night:
    config = setup.config
    check_embedding(config)
    day = day or config.yesterday()
    night = Night(day)
    try:
        with described(f"nightly {day}", config.app), config.open_lake().lock("nightly"):
            _stages(setup, night)
    except Exception as error:  # a lake that cannot be locked, or Prefect's server
        night.record("night", error)
    if not night.is_told:
        tell(config, night)
    try:
        _announce(config, night)
    except Exception as error:  # the digest has told the rest
        night.record("event", error)
    if night.wrong:
        raise night.wrong
    if night.failures:
        raise NightFailedError(night)
    if night.critical:
        # Of a state that a flow returns, Prefect keeps the state, and hands the data to the caller.
        return cast(Night, Completed(name=CRITICAL_FINDINGS, message=night.headline, data=night))
    return night


def tell(config: Config, night: Night) -> None:
    """Send the digest of a night without Prefect. A failure is recorded."""
    try:
        alerted = alert_without_prefect(config, night.day, night.failures)
    except Exception as error:  # whatever it is, it must not hide what failed before
        night.record("alert", error)
        return
    night.is_told = True
    night.critical, night.warning = alerted.failed_critical, alerted.failed_warning


def _stages(setup: EvalSetup, night: Night) -> None:
    config, day = setup.config, night.day
    first = day
    if faults := config.open_lake().faults(night=day):
        with night.stage("lake"):
            raise RunError(in_one_text(faults))
    with night.stage("ingest") as current:
        config.require_for_ingest()
        landed = ingest(config, day)
        current.outcome = landed.summary()
        first = retention.first_to_rebuild(config, landed.days, day, day)
    with night.stage("semantics") as current:
        config.require_for_semantics()
        current.outcome = semantics(config, first, day).summary()
    with night.stage("production") as current:
        # Without the judge's key, what needs no judge is scored all the same; `evaluate` reports the key.
        current.outcome = score_production(setup, first, day, ask=not unset_variables(config.judge)).summary()
    with night.stage("transform") as current:
        # Everything at once if nothing is evaluated; else the drift tables first, because a provider that is down
        # must not hide them.
        current.outcome = transform(config, first, day, MONITORING if config.evaluates else EVERYTHING).summary()
    with night.stage("evaluate") as current:
        current.outcome = evaluated(setup, day)
    if config.evaluates and config.shadow.samples_per_day:
        with night.stage("shadow") as current:
            setup.require_evaluation()
            current.outcome = shadow(setup, day).summary()
    if config.evaluates:
        with night.stage("comparisons") as current:
            current.outcome = transform(config, day, day, EVALUATION).summary()
    if config.retention:
        with night.stage("retention") as current:
            current.outcome = retention.apply(config, config.yesterday(), day).summary()
    with night.stage("check") as current:
        checked, failed = check(config, day, night.failures)
        current.outcome = f"{checked} expectations, {failed} failed"
    with night.stage("report") as current:
        laid_out = report(config, day, night.failures)
        night.headline, night.page = laid_out.headline, laid_out.path
        current.outcome = str(laid_out.path)
    if night.page is None:
        with suppress(Exception):  # the stage's own failure is recorded
            laid_out = report_without_prefect(config, day, night.failures)
            night.headline, night.page = laid_out.headline, laid_out.path
    with night.stage("alert") as current:
        try:
            alerted = alert(config, day, night.failures)
        except RunError:  # a target is down: all were tried
            night.is_told = True
            raise
        night.critical, night.warning, night.is_told = alerted.failed_critical, alerted.failed_warning, True
        current.outcome = alerted.summary()


def _announce(config: Config, night: Night) -> None:
    announce_night(
        config.app,
        {
            "day": night.day.isoformat(),
            "severity": night.severity,
            "critical": night.critical,
            "warning": night.warning,
            "failed_stages": [failure.partition(":")[0] for failure in night.failures],
            "headline": night.headline,
            "page": str(night.page or ""),
        },
    )


@flow(name="ingest-day", persist_result=False)
def ingest_day(config_path: str = "genchi.yaml", day: date | None = None) -> None:
    """`genchi ingest`: read one day's logs, and update the monitoring marts."""
    _ingest(load_setup(load_config(config_path)), day)


@flow(name="ingest-day", persist_result=False)
def run_ingest(setup: EvalSetup, day: date | None = None) -> None:
    """The same, with a configuration that is already loaded."""
    _ingest(setup, day)


def _ingest(setup: EvalSetup, day: date | None) -> None:
    config = setup.config
    day = day or config.yesterday()
    config.require_for_ingest()
    config.require_for_semantics()
    with described(f"ingest-day {day}", config.app), config.open_lake().lock("ingest"):
        with stage("ingest") as current:
            landed = ingest(config, day)
            current.outcome = landed.summary()
        first = retention.first_to_rebuild(config, landed.days, day, day)
        with stage("semantics") as current:
            current.outcome = semantics(config, first, day).summary()
        score_production(setup, first, day)
        _transform(config, first, day)


@flow(name="transform-days", persist_result=False)
def transform_days(config_path: str = "genchi.yaml", first: date | None = None, last: date | None = None) -> None:
    """`genchi transform`: rebuild every mart for the days from `first` to `last`."""
    _transform_days(load_config(config_path), first, last)


@flow(name="transform-days", persist_result=False)
def run_transform(config: Config, first: date | None = None, last: date | None = None) -> None:
    """The same, with a configuration that is already loaded."""
    _transform_days(config, first, last)


def _transform_days(config: Config, first: date | None, last: date | None) -> None:
    last = last or config.yesterday()
    first = first or last
    with described(f"transform-days {first} to {last}", config.app), config.open_lake().lock("transform"):
        _transform(config, first, last)


def _transform(config: Config, first: date, last: date) -> None:
    with stage("transform") as current:
        current.outcome = transform(config, first, last).summary()


@flow(name="evaluate-day", persist_result=False)
def evaluate_day(config_path: str = "genchi.yaml", day: date | None = None) -> list[str]:
    """`genchi evaluate`: run the holdouts for one day, and compare the models. Returns its critical failures."""
    return _evaluate(load_setup(load_config(config_path)), day)


@flow(name="evaluate-day", persist_result=False)
def run_evaluate(setup: EvalSetup, day: date | None = None) -> list[str]:
    """The same, with a configuration that is already loaded."""
    return _evaluate(setup, day)


def _evaluate(setup: EvalSetup, day: date | None) -> list[str]:
    config = setup.config
    day = day or config.yesterday()
    setup.require_evaluation()
    with described(f"evaluate-day {day}", config.app), config.open_lake().lock("evaluate"):
        freeze(config, day)
        with stage("evaluate") as current:
            current.outcome = evaluated(setup, day)
        if config.shadow.samples_per_day:
            with stage("shadow") as current:
                current.outcome = shadow(setup, day).summary()
        _transform(config, day, day)
        with stage("check") as current:
            failed = check_evaluation(config, day)
            current.outcome = f"{len(failed)} critical expectations failed"
    return failed


@flow(name="compare", persist_result=False)
def run_compare(config: Config, narrowed: EvalSetup, day: date, run_id: str) -> None:
    """`genchi compare`: compare two models on one route, as a night does; the result is in the marts under `run_id`.

    `narrowed` is `config` restricted to these two models and this route; all test sets of `config` are frozen.
    """
    narrowed.require_evaluation()
    register_local_providers(model.model for model in narrowed.config.all_models())
    with described(f"compare {day}", config.app), config.open_lake().lock("compare"):
        freeze(config, day)
        with stage("evaluate") as current:
            current.outcome = evaluate(narrowed, day, run_id, other_nights=True).summary()
        with stage("comparisons") as current:
            current.outcome = transform(config, day, day, COMPARISON).summary()


def evaluated(setup: EvalSetup, day: date, *, other_nights: bool = False) -> str:
    """Evaluate one day whose test sets are frozen; returns a summary in one line."""
    if not setup.config.evaluates:
        return "nothing to evaluate: no models, or no route with a holdout and criteria"
    setup.require_evaluation()
    register_local_providers(model.model for model in setup.config.all_models())
    return evaluate(setup, day, other_nights=other_nights).summary()

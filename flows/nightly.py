"""The nightly run, stage by stage, and the verbs that run a part of it.

If a stage fails, the others still run: a provider that is down must not hide the drift tables, and a failure in the
drift tables must not stop the evaluation. The failures are handed to the page and to the digest, and the run then
counts as failed. Page and digest are made without Prefect where it fails itself, as on a full disk.

`nightly` loads the configuration from a path, `run_nightly` takes one that is already loaded. After that, only logs and
test sets are read from the workspace.
"""

from contextlib import suppress
from datetime import date

from flows import catch_up, retention, telemetry
from flows.alerts import night_ended
from flows.alerts.flow import alert, alert_without_prefect
from flows.checks import check, check_evaluation
from flows.config import Config, load_config, sizes_by_risk, unset_variables
from flows.errors import ConfigError, RunError
from flows.evaluate import EvalSetup, load_setup, relabel_items, suggest_criteria
from flows.evaluate.flow import evaluate, score_night, score_production, shadow
from flows.export.flow import export
from flows.extensions import check_extensions
from flows.ingest.flow import freeze, ingest
from flows.lake import in_one_text
from flows.llm import register_local_providers
from flows.night import Night, NightFailedError
from flows.night_runs import NightRuns
from flows.prefect_run import announce_night, described, ended, flow, stage
from flows.report.flow import report, report_without_prefect
from flows.review import Question
from flows.review.flow import labels, review
from flows.semantics.flow import semantics
from flows.transform import COMPARISON, EVALUATION, EVERYTHING, MONITORING, REVIEW, expire, has_package, is_due
from flows.transform.flow import transform, workspace_models
from flows.words import counted


@flow(name="nightly")
def nightly(config_path: str = "genchi.yaml", day: date | None = None) -> Night:
    """Run one whole night.

    Raises ConfigError for a wrong configuration: before the night, or at its end if a stage found it; and
    NightFailedError at its end if another stage failed.

    Args:
        config_path: The absolute path of the workspace's genchi.yaml, where the worker runs.
        day: The day to check, whose logs are complete. Without one: yesterday, in the workspace's time zone.
    """
    return _nightly(load_setup(load_config(config_path)), day)


@flow(name="nightly")
def run_nightly(setup: EvalSetup, day: date | None = None) -> Night:
    """The same, with a configuration that is already loaded."""
    return _nightly(setup, day)


def run_told(setup: EvalSetup, day: date) -> Night:
    """`run_nightly`, with a digest also where Prefect itself fails and the night did not run, or not to its end."""
    try:
        return run_nightly(setup, day)
    except (ConfigError, NightFailedError):
        raise
    except Exception as error:
        night = Night(day)
        night.record("night", error)
        tell(setup.config, night)
        night_ended(setup.config, day, len(night.failures), night.counts)
        raise NightFailedError(night) from error


def _nightly(setup: EvalSetup, day: date | None) -> Night:
    config = setup.config
    check_extensions(config)
    day = day or config.yesterday()
    night = Night(day, runs=NightRuns(config, day))
    try:
        with described(f"nightly {day}", config.app), config.open_lake().run("nightly"):
            catch_up.run_missed(setup, night, _stages, tell)
            _stages(setup, night)
    except Exception as error:  # a lake that cannot be locked, or Prefect's server
        night.record("night", error)
    if not night.is_told:
        tell(config, night)
    try:
        announce_night(config.app, night.payload())
    except Exception as error:  # the digest has told the rest
        night.record("event", error)
    night_ended(config, night.day, len(night.failures), night.counts)
    telemetry.export(config.app, night)
    if night.wrong:
        raise night.wrong
    if night.failures:
        raise NightFailedError(night)
    return ended(night, night.headline, is_critical=bool(night.critical))


def tell(config: Config, night: Night) -> None:
    """Send the digest of a night without Prefect. A failure is recorded."""
    try:
        alerted = alert_without_prefect(config, night.day, night.to_tell)
    except Exception as error:  # whatever it is, it must not hide what failed before
        night.record("alert", error)
        return
    night.tell(alerted.count("critical"), alerted.count("warning"))


def _stages(setup: EvalSetup, night: Night, past: EvalSetup | None = None) -> None:
    """All stages. Of a night that is caught up, `past` is its whole setup, and `setup` evaluates nothing."""
    config, day = setup.config, night.day
    first = day
    if faults := config.open_lake().faults(night=day):
        with night.stage("lake"):
            raise RunError(in_one_text(faults))
    with night.stage("labels") as current:
        current.outcome = labels(config).summary()
    with night.stage("ingest") as current:
        config.require_for_ingest()
        landed = ingest(config, day)
        current.outcome = landed.summary()
        first = retention.first_to_rebuild(config, landed.days, day, day)
    if past and not config.open_lake().exists("interactions", day):
        return
    with night.stage("semantics") as current:
        config.require_for_semantics()
        current.outcome = semantics(config, first, day).summary()
    with night.stage("production") as current:
        scoring = past or setup
        if judge := scoring.config.judge:
            register_local_providers([judge.model])
        # Without the judge's key, what needs no judge is scored all the same; `evaluate` reports the key. So it is for
        # a day that is caught up, because several of them would spend as many nights' budgets at once.
        scored = score_night(scoring, first, day, ask=past is None and not unset_variables(judge))
        first, current.outcome = scored.first, scored.summary()
    with night.stage("transform") as current:
        # Everything at once if nothing is evaluated; else the drift tables first, because a provider that is down
        # must not hide them.
        current.outcome = transform(config, first, day, MONITORING if config.evaluates else EVERYTHING).summary()
    with night.stage("evaluate") as current:
        current.outcome = evaluated(setup, day)
    if config.evaluates and any(sizes_by_risk(config, "shadow_samples").values()):
        with night.stage("shadow") as current:
            setup.require_evaluation()
            current.outcome = shadow(setup, day).summary()
    if config.evaluates:
        with night.stage("comparisons") as current:
            current.outcome = transform(config, day, day, EVALUATION).summary()
    if not past:
        _review(setup, night)
    if has_package(config):
        with night.stage("workspace") as current:  # after all that its models may read
            current.outcome = workspace_models(config, first, day).summary()
    if config.retention or is_due(config, day):
        with night.stage("retention") as current:
            removed = retention.apply(config, config.yesterday(), day).summary()
            current.outcome = f"{removed}; {expire(config, day).summary()}"
    with night.stage("export") as current:  # after all that writes the marts
        current.outcome = export(config, first, day)
    _tell(config, night)


def _review(setup: EvalSetup, night: Night) -> None:
    """What people are asked to judge, and what their labels say."""
    config, day = setup.config, night.day
    is_drawn = False
    with night.stage("review") as current:
        # After the marts, of whose incidents and examples it is; before the page, which tells of it.
        questions = [Question(*one) for one in setup.questions()]
        drawn = review(config, day, questions, relabel_items(config.open_lake(), day))
        is_drawn, current.outcome = bool(drawn.answers), drawn.summary()
    has_labels = bool(config.open_lake().days("annotations"))
    if (is_drawn or has_labels) and not night.has_failed("transform"):
        with night.stage("rates") as current:  # once more after the draw: these marts count what was drawn
            current.outcome = transform(config, day, day, REVIEW).summary()
            current.outcome = suggest_criteria(setup, day).summary() if has_labels else current.outcome


def _tell(config: Config, night: Night) -> None:
    """The last stages: what the night found is checked, laid out and sent."""
    day = night.day
    with night.stage("check") as current:
        checked, failed = check(config, day, night.to_tell)
        current.outcome = f"{counted(checked, 'expectation')}, {failed:,} failed"
    with night.stage("report") as current:
        laid_out = report(config, day, night.to_tell)
        night.headline, night.page = laid_out.headline, laid_out.path
        current.outcome = str(laid_out.path)
    if night.page is None:
        with suppress(Exception):  # the stage's own failure is recorded
            laid_out = report_without_prefect(config, day, night.to_tell)
            night.headline, night.page = laid_out.headline, laid_out.path
    with night.stage("alert") as current:
        try:
            alerted = alert(config, day, night.to_tell)
        except RunError:  # a target is down: all were tried
            night.is_told = True
            raise
        night.tell(alerted.count("critical"), alerted.count("warning"))
        current.outcome = alerted.summary()


@flow(name="ingest-day")
def run_ingest(setup: EvalSetup, day: date | None = None) -> None:
    """`genchi ingest`: read one day's logs, and update the monitoring marts."""
    config = setup.config
    day = day or config.yesterday()
    check_extensions(config)
    config.require_for_ingest()
    config.require_for_semantics()
    with described(f"ingest-day {day}", config.app), config.open_lake().run("ingest"):
        with stage("ingest") as current:
            landed = ingest(config, day)
            current.outcome = landed.summary()
        first = retention.first_to_rebuild(config, landed.days, day, day)
        with stage("semantics") as current:
            current.outcome = semantics(config, first, day).summary()
        score_production(setup, first, day)
        _transform(config, first, day)


@flow(name="transform-days")
def run_transform(config: Config, first: date | None = None, last: date | None = None) -> None:
    """`genchi transform`: rebuild every mart for the days from `first` to `last`."""
    last = last or config.yesterday()
    first = first or last
    with described(f"transform-days {first} to {last}", config.app), config.open_lake().run("transform"):
        _transform(config, first, last)


def _transform(config: Config, first: date, last: date) -> None:
    with stage("transform") as current:
        current.outcome = transform(config, first, last).summary()
    if has_package(config):
        with stage("workspace") as current:
            current.outcome = workspace_models(config, first, last).summary()
    with stage("export") as current:
        current.outcome = export(config, first, last)


@flow(name="evaluate-day")
def evaluate_day(config_path: str = "genchi.yaml", day: date | None = None) -> list[str]:
    """`genchi evaluate`: run the holdouts for one day, and compare the models. Returns its critical failures.

    Args:
        config_path: The absolute path of the workspace's genchi.yaml, where the worker runs.
        day: The night under which the results are stored. Without one: yesterday, in the workspace's time zone.
    """
    return _evaluate(load_setup(load_config(config_path)), day)


@flow(name="evaluate-day")
def run_evaluate(setup: EvalSetup, day: date | None = None) -> list[str]:
    """The same, with a configuration that is already loaded."""
    return _evaluate(setup, day)


def _evaluate(setup: EvalSetup, day: date | None) -> list[str]:
    config = setup.config
    day = day or config.yesterday()
    setup.require_evaluation()
    with described(f"evaluate-day {day}", config.app), config.open_lake().run("evaluate"):
        freeze(config, day)
        with stage("evaluate") as current:
            current.outcome = evaluated(setup, day)
        if any(sizes_by_risk(config, "shadow_samples").values()):
            with stage("shadow") as current:
                current.outcome = shadow(setup, day).summary()
        _transform(config, day, day)
        with stage("check") as current:
            failed = check_evaluation(config, day)
            current.outcome = f"{counted(len(failed), 'critical expectation')} failed"
    return ended(failed, "; ".join((f"{day}: {current.outcome}", *failed)), is_critical=bool(failed))


@flow(name="compare")
def run_compare(config: Config, narrowed: EvalSetup, day: date, run_id: str) -> None:
    """`genchi compare`: compare two models on one route, as a night does; the result is in the marts under `run_id`.

    `narrowed` is `config` restricted to these two models and this route; all test sets of `config` are frozen.
    """
    narrowed.require_evaluation(candidates=True)
    register_local_providers(model.model for model in narrowed.config.all_models())
    with described(f"compare {day}", config.app), config.open_lake().run("compare"):
        freeze(config, day)
        with stage("evaluate") as current:
            current.outcome = evaluate(narrowed, day, run_id, other_nights=True).summary()
        with stage("comparisons") as current:
            current.outcome = transform(config, day, day, COMPARISON).summary()
        with stage("export") as current:
            current.outcome = export(config, day, day)


def evaluated(setup: EvalSetup, day: date, *, other_nights: bool = False) -> str:
    """Evaluate one day whose test sets are frozen; returns a summary in one line."""
    if not setup.config.evaluates:
        return "nothing to evaluate: no models, or no route with a holdout and criteria"
    setup.require_evaluation()
    register_local_providers(model.model for model in setup.config.all_models())
    return evaluate(setup, day, other_nights=other_nights).summary()

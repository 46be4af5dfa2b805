"""Prefect flows and tasks of the evaluation, the shadow, and the scoring of production answers."""

from datetime import date

from flows.evaluate import generation
from flows.evaluate.anchor import Regraded, regrade_anchors
from flows.evaluate.generate import GenerationResult, JudgingResult, parent_run_id
from flows.evaluate.production import NightScores, ProductionResult, Rescored, rescore_window, score_days
from flows.evaluate.propose import join_versions, parent_tasks
from flows.evaluate.score import EvaluationResult, judge_tasks, score_tasks
from flows.evaluate.setup import EvalSetup, EvalTask, note_versions, read_tasks
from flows.evaluate.shadow import ShadowResult, shadow_day
from flows.lake import nightly_run_id
from flows.prefect_run import ASKING_S, STAGE_S, flow, task


@task(name="ask the models", task_run_name="ask the models {day}")
def ask(setup: EvalSetup, day: date, run_id: str, tasks: list[EvalTask], other_nights: bool) -> GenerationResult:
    """Send the frozen holdouts to every model. Requests that have an answer are not sent again."""
    return generation.generate_night(setup.config, day, run_id, tasks, other_nights=other_nights)


@task(name="ask the judge", task_run_name="ask the judge {day}")
def judge(setup: EvalSetup, day: date, run_id: str, tasks: list[EvalTask]) -> JudgingResult:
    """Send the answers to the LLM judge. Requests that have a reply are not sent again."""
    return judge_tasks(setup.config, day, run_id, tasks)


@task(name="score the answers", task_run_name="score the answers {day}")
def score(
    setup: EvalSetup, day: date, run_id: str, tasks: list[EvalTask], *, asked: GenerationResult, judged: JudgingResult
) -> EvaluationResult:
    """Score the answers and compare the models."""
    return score_tasks(setup.config, day, run_id, tasks, generation=asked, judged=judged)


@task(name="join versions of holdouts", task_run_name="join versions of holdouts {day}")
def join(setup: EvalSetup, day: date, run_id: str, routes: list[str]) -> int:
    """Say how the series of pass rates go on where a holdout has another version than the night before."""
    return join_versions(setup.config.open_lake(), day, run_id, routes)


@task(name="shadow production", task_run_name="shadow production {day}")
def put_to_candidates(setup: EvalSetup, day: date) -> ShadowResult:
    """Send a sample of the day's production inputs to the candidates, and compare them with production's answers."""
    return shadow_day(setup, day)


@task(name="check production answers", task_run_name="check production answers {first} to {last}")
def check_production(setup: EvalSetup, first: date, last: date, ask: bool = False) -> ProductionResult:
    """Check the production answers of the days from `first` to `last` by their routes' criteria and schemas."""
    return score_days(setup, first, last, ask=ask)


@task(name="score the window again", task_run_name="score the window again {night}")
def score_again(setup: EvalSetup, first: date, night: date, ask: bool = False) -> Rescored:
    """Score the days of the window before `first` again by criteria that have changed."""
    return rescore_window(setup, first, night, ask=ask)


@task(name="re-grade the anchors", task_run_name="re-grade the anchors {day}")
def regrade(setup: EvalSetup, day: date) -> Regraded:
    """Send the anchor set to the judge, and compare its verdicts with those of earlier nights."""
    return regrade_anchors(setup, day)


@flow(name="evaluate", flow_run_name="evaluate {day}", timeout_seconds=ASKING_S)
def evaluate(setup: EvalSetup, day: date, run_id: str | None = None, other_nights: bool = False) -> EvaluationResult:
    """One evaluation run on the test sets that were frozen on `day`. Raises ConfigError if the setup is wrong.

    `run_id` defaults to that of the night. With `other_nights`, answers that other runs stored for identical requests
    are reused.
    """
    run_id = run_id or nightly_run_id(day)
    if run_id == nightly_run_id(day):
        note_versions(setup, day)
    tasks = read_tasks(setup, day)
    asked = ask(setup, day, run_id, tasks, other_nights)
    judged = judge(setup, day, run_id, tasks)
    result = score(setup, day, run_id, tasks, asked=asked, judged=judged)
    if parents := parent_tasks(setup, day, run_id):
        beside = parent_run_id(day)
        asked = ask(setup, day, beside, parents, True)
        score(setup, day, beside, parents, asked=asked, judged=judge(setup, day, beside, parents))
    join(setup, day, run_id, [task.name for task in tasks])
    return result


@flow(
    name="score-production",
    flow_run_name="score-production {first} to {last}",
    timeout_seconds=STAGE_S,
)
def score_production(setup: EvalSetup, first: date, last: date, ask: bool = False) -> ProductionResult:
    """Score production answers of the days `first` to `last`. New judge requests are sent only if `ask` is true."""
    return check_production(setup, first, last, ask)


@flow(name="score-night", flow_run_name="score-night {night}", timeout_seconds=ASKING_S)
def score_night(setup: EvalSetup, first: date, night: date, ask: bool = False) -> NightScores:
    """As `score_production` from `first` to `night`, and the window before again where a criterion has changed.

    With `ask`, the judge first grades its anchor set, before it judges anything of the night.
    """
    if ask:
        regrade(setup, night)
    scored = check_production(setup, first, night, ask)
    again = score_again(setup, first, night, ask)
    return NightScores(scored, again, again.first(first))


@flow(name="shadow", flow_run_name="shadow {day}", timeout_seconds=STAGE_S)
def shadow(setup: EvalSetup, day: date) -> ShadowResult:
    """Run the candidates on a sample of the day's production inputs."""
    return put_to_candidates(setup, day)

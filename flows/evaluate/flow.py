"""Prefect flows and tasks of the evaluation, the shadow, and the scoring of production answers."""

from datetime import date

from prefect import flow, task

from flows.evaluate import generation
from flows.evaluate.generate import GenerationResult, JudgingResult
from flows.evaluate.production import ProductionResult, score_days
from flows.evaluate.score import EvaluationResult, judge_tasks, score_tasks
from flows.evaluate.setup import EvalSetup, EvalTask, read_tasks
from flows.evaluate.shadow import ShadowResult, shadow_day
from flows.lake import nightly_run_id
from flows.prefect_run import ASKING_S, STAGE_S, TASK


@task(name="ask the models", task_run_name="ask the models {day}", **TASK)
def ask(setup: EvalSetup, day: date, run_id: str, tasks: list[EvalTask], other_nights: bool) -> GenerationResult:
    """Send the frozen holdouts to every model. Requests that have an answer are not sent again."""
    return generation.generate_night(setup.config, day, run_id, tasks, other_nights=other_nights)


@task(name="ask the judge", task_run_name="ask the judge {day}", **TASK)
def judge(setup: EvalSetup, day: date, run_id: str, tasks: list[EvalTask]) -> JudgingResult:
    """Send the answers to the LLM judge. Requests that have a reply are not sent again."""
    return judge_tasks(setup.config, day, run_id, tasks)


@task(name="score the answers", task_run_name="score the answers {day}", **TASK)
def score(
    setup: EvalSetup, day: date, run_id: str, tasks: list[EvalTask], *, asked: GenerationResult, judged: JudgingResult
) -> EvaluationResult:
    """Score the answers and compare the models."""
    return score_tasks(setup.config, day, run_id, tasks, generation=asked, judged=judged)


@task(name="shadow production", task_run_name="shadow production {day}", **TASK)
def put_to_candidates(setup: EvalSetup, day: date) -> ShadowResult:
    """Send a sample of the day's production inputs to the candidates, and compare them with production's answers."""
    return shadow_day(setup, day)


@task(name="check production answers", task_run_name="check production answers {first} to {last}", **TASK)
def check_production(setup: EvalSetup, first: date, last: date, ask: bool = False) -> ProductionResult:
    """Check the production answers of the days from `first` to `last` by their routes' criteria and schemas."""
    return score_days(setup, first, last, ask=ask)


@flow(name="evaluate", flow_run_name="evaluate {day}", timeout_seconds=ASKING_S, persist_result=False)
def evaluate(setup: EvalSetup, day: date, run_id: str | None = None, other_nights: bool = False) -> EvaluationResult:
    """One evaluation run on the test sets that were frozen on `day`. Raises ConfigError if the setup is wrong.

    `run_id` defaults to that of the night. With `other_nights`, answers that other runs stored for identical requests
    are reused.
    """
    run_id = run_id or nightly_run_id(day)
    tasks = read_tasks(setup, day)
    asked = ask(setup, day, run_id, tasks, other_nights)
    judged = judge(setup, day, run_id, tasks)
    return score(setup, day, run_id, tasks, asked=asked, judged=judged)


@flow(
    name="score-production",
    flow_run_name="score-production {first} to {last}",
    timeout_seconds=STAGE_S,
    persist_result=False,
)
def score_production(setup: EvalSetup, first: date, last: date, ask: bool = False) -> ProductionResult:
    """Score production answers of the days `first` to `last`. New judge requests are sent only if `ask` is true."""
    return check_production(setup, first, last, ask)


@flow(name="shadow", flow_run_name="shadow {day}", timeout_seconds=STAGE_S, persist_result=False)
def shadow(setup: EvalSetup, day: date) -> ShadowResult:
    """Run the candidates on a sample of the day's production inputs."""
    return put_to_candidates(setup, day)

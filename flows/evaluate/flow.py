"""Prefect's wiring of the evaluation, and of the check of production answers against the same criteria."""

from datetime import date

from prefect import flow, task

from flows.config import load_config
from flows.evaluate import generation
from flows.evaluate.generate import GenerationResult, JudgingResult
from flows.evaluate.production import ProductionResult, score_days
from flows.evaluate.score import EvaluationResult, judge_night, score_night
from flows.evaluate.setup import ModelPair
from flows.evaluate.shadow import ShadowResult, shadow_day
from flows.lake import nightly_run_id


@task(name="ask the models", persist_result=False)
def ask(config_path: str, day: date, run_id: str, other_nights: bool) -> GenerationResult:
    """Put the frozen holdouts to every model; what is answered already is not asked again."""
    return generation.generate_night(load_config(config_path), day, run_id, other_nights=other_nights)


@task(name="ask the judge", persist_result=False)
def judge(config_path: str, day: date, run_id: str) -> JudgingResult:
    """Put to the judge what was answered; what is judged already is not asked again."""
    return judge_night(load_config(config_path), day, run_id)


@task(name="ask two models", persist_result=False)
def ask_both(config_path: str, day: date, pair: ModelPair) -> GenerationResult:
    """Put one route's frozen holdout to two models; what any run has been answered is not asked again."""
    config = load_config(config_path)
    return generation.generate_night(pair.narrowed(config), day, pair.run_id(config, day), other_nights=True)


@task(name="score two models", persist_result=False)
def score_both(config_path: str, day: date, pair: ModelPair, asked: GenerationResult) -> EvaluationResult:
    """Have judged what they answered, score and compare it."""
    config = load_config(config_path)
    narrowed, run_id = pair.narrowed(config), pair.run_id(config, day)
    return score_night(narrowed, day, run_id, asked, judge_night(narrowed, day, run_id))


@task(name="score the answers", persist_result=False)
def score(config_path: str, day: date, run_id: str, asked: GenerationResult, judged: JudgingResult) -> EvaluationResult:
    """Score and compare what was answered."""
    return score_night(load_config(config_path), day, run_id, asked, judged)


@task(name="shadow production", persist_result=False)
def put_to_candidates(config_path: str, day: date) -> ShadowResult:
    """Put a sample of the day's own inputs to the candidates, and compare them with what production answered."""
    return shadow_day(load_config(config_path), day)


@task(name="check production answers", persist_result=False)
def structure(config_path: str, first: date, last: date, ask: bool = False) -> ProductionResult:
    """Hold the production answers of the days from `first` to `last` against their routes' criteria and schemas."""
    return score_days(load_config(config_path), first, last, ask=ask)


@flow(name="evaluate", persist_result=False)
def evaluate(config_path: str, day: date, other_nights: bool = False) -> EvaluationResult:
    """One night's evaluation. Raises ConfigError where something that it needs is wrong.

    `other_nights` lets answers count that other nights have stored to the very same questions.
    """
    run_id = nightly_run_id(day)
    asked = ask(config_path, day, run_id, other_nights)
    return score(config_path, day, run_id, asked, judge(config_path, day, run_id))


@flow(name="evaluate-two", persist_result=False)
def evaluate_two(config_path: str, day: date, pair: ModelPair) -> EvaluationResult:
    """The evaluation of two models on one route. Raises ConfigError where something that it needs is wrong."""
    return score_both(config_path, day, pair, ask_both(config_path, day, pair))


@flow(name="score-production", persist_result=False)
def score_production(config_path: str, first: date, last: date, ask: bool = False) -> ProductionResult:
    """The check of production answers of the days from `first` to `last`; the judge is asked where `ask` says so."""
    return structure(config_path, first, last, ask)


@flow(name="shadow", persist_result=False)
def shadow(config_path: str, day: date) -> ShadowResult:
    """The candidates on a sample of the day's own inputs."""
    return put_to_candidates(config_path, day)

"""A night's evaluation as `flows/evaluate/flow.py` composes it, but without Prefect."""

from datetime import date

from flows.config import Config
from flows.evaluate.generation import generate_night
from flows.evaluate.score import EvaluationResult, judge_night, score_night
from flows.llm import ClientFactory


def evaluate_night(config: Config, day: date, run_id: str, clients: ClientFactory | None = None) -> EvaluationResult:
    """Run the holdouts that were frozen on `day`; `clients` makes the client of a model (default: litellm's)."""
    asked = generate_night(config, day, run_id, clients)
    return score_night(config, day, run_id, asked, judge_night(config, day, run_id, clients=clients))

"""The steps of a night's evaluation as `flows/evaluate/flow.py` composes them, but without Prefect.

Each reads the files that it rests on anew, as a night does when it begins. `clients` makes the client of a model
(default: litellm's).
"""

from datetime import date

from flows.config import Config
from flows.evaluate import generation, production, read_tasks, score, shadow
from flows.evaluate.generate import GenerationResult, JudgingResult
from flows.evaluate.production import production_scores
from flows.evaluate.setup import read_setup
from flows.llm import ClientFactory


class KilledError(BaseException):
    """Ends a run at once, as a kill does.

    No KeyboardInterrupt: asyncio would leave its task's exception unread, and report it during some later test.
    """


def evaluate_night(
    config: Config, day: date, run_id: str, clients: ClientFactory | None = None
) -> score.EvaluationResult:
    """Run the holdouts that were frozen on `day`."""
    asked = generate_night(config, day, run_id, clients)
    return score_night(config, day, run_id, asked, judge_night(config, day, run_id, clients=clients))


def generate_night(
    config: Config, day: date, run_id: str, clients: ClientFactory | None = None, *, other_nights: bool = False
) -> GenerationResult:
    """Put the holdouts to the models."""
    tasks = read_tasks(read_setup(config), day)
    return generation.generate_night(config, day, run_id, tasks, clients, other_nights=other_nights)


def judge_night(config: Config, day: date, run_id: str, *, clients: ClientFactory | None = None) -> JudgingResult:
    """Put to the judge what was answered."""
    return score.judge_tasks(config, day, run_id, read_tasks(read_setup(config), day), clients=clients)


def score_night(
    config: Config,
    day: date,
    run_id: str,
    generation: GenerationResult | None = None,
    judged: JudgingResult | None = None,
) -> score.EvaluationResult:
    """Score what was answered."""
    return score.score_tasks(
        config, day, run_id, read_tasks(read_setup(config), day), generation=generation, judged=judged
    )


def score_production(
    config: Config, day: date, clients: ClientFactory | None = None, *, ask: bool = False
) -> production.ProductionResult:
    """Score the production answers of one day."""
    return production_scores.score_production(read_setup(config), day, clients, ask=ask)


def shadow_day(config: Config, day: date, clients: ClientFactory | None = None) -> shadow.ShadowResult:
    """Put a sample of production's calls to the candidates."""
    return shadow.shadow_day(read_setup(config), day, clients)

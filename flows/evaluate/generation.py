"""Generation: run the canary, then send the holdouts to every model, and write the answers to `completions`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from flows.config import Config
from flows.evaluate.canary import ask_canary, canary_from_holdout
from flows.evaluate.generate import EvalRun, GenerationResult, budget_of, generate_answers
from flows.evaluate.setup import EvalTask
from flows.llm import ClientFactory

__all__ = ["GenerationResult", "generate_night"]


def generate_night(
    config: Config,
    day: date,
    run_id: str,
    tasks: Sequence[EvalTask],
    clients: ClientFactory | None = None,
    *,
    other_nights: bool = False,
) -> GenerationResult:
    """Send the requests that have no answer yet, and write all answers to `completions`.

    With `other_nights`, answers of any run are reused, so that a backfill does not query live models about the past.
    Otherwise the candidates are queried again, because a model may change behind its name; so is the pinned model,
    unless its canary shows no change.
    """
    budget = budget_of(config, day, run_id)
    run = EvalRun(config, day, run_id, tasks)
    if other_nights:
        return generate_answers(replace(run, reusable=run.arms), budget, clients)
    canary = ask_canary(run, budget, clients)
    if canary.since is not None:
        run = replace(run, reusable=("pinned",), since=canary.since)
    asked = generate_answers(run, budget, clients)
    canary_from_holdout(run)
    return replace(asked, canary=canary.generation.asked, spent_usd=asked.spent_usd + canary.generation.spent_usd)

"""Asking: the canary first, then the holdouts put to every model, and the answers landed in `completions`."""

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
    """Ask what is not answered yet, and land all answers in `completions`.

    With `other_nights`, what any run has answered counts: a backfill does not ask a live model about the past
    again. A night of its own asks the candidates anew, for a model may have changed behind its name, and the pinned
    model too unless its canary shows that it has not.
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

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
    papers: Sequence[EvalTask],
    clients: ClientFactory | None = None,
    *,
    other_nights: bool = False,
) -> GenerationResult:
    """Ask what is not answered yet, and land all answers in `completions`.

    With `other_nights`, what any run has answered counts: a backfill does not ask a live model about the past
    again. A night of its own asks the candidates anew, for a model may have changed behind its name, and the pinned
    model too unless its canary shows that it has not.
    """
    purse = budget_of(config, day, run_id)
    sheet = EvalRun(config, day, run_id, papers)
    if other_nights:
        return generate_answers(replace(sheet, reusable=sheet.arms), purse, clients)
    canary = ask_canary(sheet, purse, clients)
    if canary.since is not None:
        sheet = replace(sheet, reusable=("pinned",), since=canary.since)
    asked = generate_answers(sheet, purse, clients)
    canary_from_holdout(sheet)
    return replace(asked, canary=canary.asked.asked, spent_usd=asked.spent_usd + canary.asked.spent_usd)

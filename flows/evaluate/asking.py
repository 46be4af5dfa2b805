"""Asking: the canary first, then the holdouts put to every model, and the answers landed in `completions`."""

from dataclasses import replace
from datetime import date

from flows import models
from flows.config import Config
from flows.evaluate.canary import ask_canary, hear_holdout
from flows.evaluate.papers import read_papers
from flows.evaluate.sheets import Asked, Sheet, ask_sheet
from flows.evaluate.spending import purse_of

__all__ = ["Asked", "ask_night"]


def ask_night(
    config: Config, day: date, run_id: str, clients: models.ClientFactory | None = None, *, other_nights: bool = False
) -> Asked:
    """Ask what is not answered yet, and land all answers in `completions`.

    With `other_nights`, what any run has answered counts: a backfill does not ask a live model about the past
    again. A night of its own asks the candidates anew, for a model may have changed behind its name, and the pinned
    model too unless its canary shows that it has not.
    """
    purse = purse_of(config, day, run_id)
    sheet = Sheet(config, day, run_id, read_papers(config, day))
    if other_nights:
        return ask_sheet(replace(sheet, reusable=sheet.arms), purse, clients)
    canary = ask_canary(sheet, purse, clients)
    if canary.since is not None:
        sheet = replace(sheet, reusable=("pinned",), since=canary.since)
    asked = ask_sheet(sheet, purse, clients)
    hear_holdout(sheet)
    return replace(asked, canary=canary.asked.asked, spent_usd=asked.spent_usd + canary.asked.spent_usd)

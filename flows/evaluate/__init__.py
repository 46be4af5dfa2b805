"""Evaluation: send the holdout to the pinned model and its candidates, score the answers, compare the models.

Answers are paid for once: they are stored in `completions`. Scores, estimates and comparisons are recomputed from them
at each run. The statistics are in `flows.stats`. What people decide about, suggestions and proposals, is imported when
it is first used: it needs packages that take long to import.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from flows.evaluate.setup import (
    EvalSetup,
    ModelPair,
    Version,
    current_versions,
    load_setup,
    read_setup,
    read_tasks,
    read_versions,
)

if TYPE_CHECKING:
    from flows.evaluate.generate import Forecast
    from flows.evaluate.generation import forecast_day
    from flows.evaluate.production import judged_hashes
    from flows.evaluate.propose import (
        Frozen,
        Proposed,
        Who,
        accept_proposal,
        check_proposal,
        proposal_id,
        reject_proposal,
    )
    from flows.evaluate.propose import freeze as freeze_holdout
    from flows.evaluate.propose import propose as propose_examples
    from flows.evaluate.suggest import (
        Suggested,
        accept,
        accept_suggestion,
        apply_decision,
        read_suggestions,
        reject,
        relabel_items,
        suggest_criteria,
        suggest_for_mode,
    )

_PROPOSE = ("Frozen", "Proposed", "Who", "accept_proposal", "check_proposal", "proposal_id")
_SUGGEST = ("Suggested", "accept", "accept_suggestion", "apply_decision", "read_suggestions", "reject", "relabel_items")
_LATE = {
    "Forecast": ("generate", "Forecast"),
    "forecast_day": ("generation", "forecast_day"),
    **{name: ("propose", name) for name in (*_PROPOSE, "reject_proposal")},
    "freeze_holdout": ("propose", "freeze"),
    "judged_hashes": ("production", "judged_hashes"),
    "propose_examples": ("propose", "propose"),
    **{name: ("suggest", name) for name in (*_SUGGEST, "suggest_criteria", "suggest_for_mode")},
}

__all__ = [
    "EvalSetup",
    "Forecast",
    "Frozen",
    "ModelPair",
    "Proposed",
    "Suggested",
    "Version",
    "Who",
    "accept",
    "accept_proposal",
    "accept_suggestion",
    "apply_decision",
    "check_proposal",
    "current_versions",
    "forecast_day",
    "freeze_holdout",
    "judged_hashes",
    "load_setup",
    "proposal_id",
    "propose_examples",
    "read_setup",
    "read_suggestions",
    "read_tasks",
    "read_versions",
    "reject",
    "reject_proposal",
    "relabel_items",
    "suggest_criteria",
    "suggest_for_mode",
]


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room, theirs = _LATE[name]
    return getattr(import_module(f"{__name__}.{room}"), theirs)

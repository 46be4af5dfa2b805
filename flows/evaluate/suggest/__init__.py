"""Criteria from people's judgements: suggestions, their acceptance, and labels to repeat after a change."""

from flows.evaluate.suggest.acceptance import (
    accept,
    accept_suggestion,
    apply_decision,
    reject,
    suggest_for_mode,
)
from flows.evaluate.suggest.relabelling import relabel_items
from flows.evaluate.suggest.suggestions import Suggested, read_suggestions, suggest_criteria

__all__ = [
    "Suggested",
    "accept",
    "accept_suggestion",
    "apply_decision",
    "read_suggestions",
    "reject",
    "relabel_items",
    "suggest_criteria",
    "suggest_for_mode",
]

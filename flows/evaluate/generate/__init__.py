"""Requests to models and judges, within a budget. Each answer is written to a journal as it arrives."""

from flows.evaluate.generate.budget import (
    ANCHOR_KEY,
    anchor_run_id,
    anchors_usd,
    budget_of,
    canary_run_id,
    parent_run_id,
    production_run_id,
    shadow_run_id,
)
from flows.evaluate.generate.evaluation_run import EvalRun, Forecast, GenerationResult, forecast, generate_answers
from flows.evaluate.generate.journal import append_answer, open_for_append, read_journal
from flows.evaluate.generate.judging import JudgingResult, ask_judge, judge_replies
from flows.evaluate.generate.request_runner import RunBudget, ask_all
from flows.evaluate.generate.requests import Row, requests_of_run

__all__ = [
    "ANCHOR_KEY",
    "EvalRun",
    "Forecast",
    "GenerationResult",
    "JudgingResult",
    "Row",
    "RunBudget",
    "anchor_run_id",
    "anchors_usd",
    "append_answer",
    "ask_all",
    "ask_judge",
    "budget_of",
    "canary_run_id",
    "forecast",
    "generate_answers",
    "judge_replies",
    "open_for_append",
    "parent_run_id",
    "production_run_id",
    "read_journal",
    "requests_of_run",
    "shadow_run_id",
]

"""Requests to models and judges, within a budget. Each answer is written to a journal as it arrives."""

from flows.evaluate.generate.budget import budget_of, canary_run_id, production_run_id, shadow_run_id
from flows.evaluate.generate.evaluation_run import EvalRun, GenerationResult, generate_answers
from flows.evaluate.generate.journal import append_answer, open_for_append
from flows.evaluate.generate.judging import JudgingResult, ask_judge, judge_replies
from flows.evaluate.generate.request_runner import RunBudget
from flows.evaluate.generate.requests import Row, requests_of_run

__all__ = [
    "EvalRun",
    "GenerationResult",
    "JudgingResult",
    "Row",
    "RunBudget",
    "append_answer",
    "ask_judge",
    "budget_of",
    "canary_run_id",
    "generate_answers",
    "judge_replies",
    "open_for_append",
    "production_run_id",
    "requests_of_run",
    "shadow_run_id",
]

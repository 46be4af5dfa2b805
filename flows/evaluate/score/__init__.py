"""From answers to scores, estimates, comparisons and the leaderboard."""

from flows.evaluate.score.answer_scoring import completion_id
from flows.evaluate.score.score_run import EvaluationResult, judge_tasks, score_tasks

__all__ = ["EvaluationResult", "completion_id", "judge_tasks", "score_tasks"]

"""From answers to scores, estimates, comparisons and the leaderboard."""

from flows.evaluate.score.score_run import EvaluationResult, judge_tasks, score_tasks

__all__ = ["EvaluationResult", "judge_tasks", "score_tasks"]

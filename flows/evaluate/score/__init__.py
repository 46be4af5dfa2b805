"""From answers to scores, estimates, comparisons and the leaderboard."""

from flows.evaluate.score.scoring import EvaluationResult, judge_night, judge_tasks, score_night, score_tasks

__all__ = ["EvaluationResult", "judge_night", "judge_tasks", "score_night", "score_tasks"]

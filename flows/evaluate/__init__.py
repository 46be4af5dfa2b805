"""Evaluation: send the holdout to the pinned model and its candidates, score the answers, compare the models.

Answers are paid for once: they are stored in `completions`. Scores, estimates and comparisons are recomputed from them
at each run. The statistics are in `flows.stats`.
"""

from flows.evaluate.setup import EvalSetup, ModelPair, load_setup, read_tasks

__all__ = ["EvalSetup", "ModelPair", "load_setup", "read_tasks"]

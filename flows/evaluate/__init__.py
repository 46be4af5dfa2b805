"""Evaluation: the holdout put to the pinned model and its candidates, scored, and compared.

Answers are paid for once: they land in `completions`, and scores, estimates and comparisons are made of them again
at each run. No arithmetic of statistics is done here; that is `flows.stats`.
"""

from flows.evaluate.setup import EvalSetup, ModelPair, load_setup, read_tasks

__all__ = ["EvalSetup", "ModelPair", "load_setup", "read_tasks"]

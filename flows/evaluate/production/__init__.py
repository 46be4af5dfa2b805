"""Production answers scored by the criteria of the holdout, and again when a criterion has changed."""

from flows.evaluate.production.judge_sample import judged_hashes
from flows.evaluate.production.production_scores import ProductionResult, score_days
from flows.evaluate.production.rescoring import NightScores, Rescored, rescore_window

__all__ = ["NightScores", "ProductionResult", "Rescored", "judged_hashes", "rescore_window", "score_days"]

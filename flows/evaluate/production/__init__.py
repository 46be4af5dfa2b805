"""Criteria applied to production answers: code criteria to all of them, the judge to a sample."""

from flows.evaluate.production.production_scores import ProductionResult, score_days

__all__ = ["ProductionResult", "score_days"]

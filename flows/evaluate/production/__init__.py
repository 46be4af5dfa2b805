"""Criteria applied to production answers: code criteria to all of them, the judge to a sample."""

from flows.evaluate.production.production_scores import Checked, score_days

__all__ = ["Checked", "score_days"]

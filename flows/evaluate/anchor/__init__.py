"""The anchor set: answers that people judged, graded again by the judge each night, so that a changed judge is seen."""

from flows.evaluate.anchor.anchor_grading import Regraded, regrade_anchors

__all__ = ["Regraded", "regrade_anchors"]

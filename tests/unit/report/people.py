"""The rows of a synthetic night about people's labels."""

from datetime import date, timedelta
from typing import Any

_KEY = "day date, route text, criterion text, criterion_version text"
TABLES = {
    "fct_label_rates": f"{_KEY}, window_days bigint, n_labels bigint, n_judged bigint, failure_rate double,"
    " ci_low double, ci_high double, method text, n_calibration bigint, of_labels_alone double, ci_low_alone double,"
    " ci_high_alone double, reason text",
    "fct_judge_alignment": f"{_KEY}, judge text, n_labels bigint, n_failures bigint, is_weighted boolean, tpr double,"
    " tpr_low double, tpr_high double, tnr double, tnr_low double, tnr_high double, agreement double, ac1 double,"
    " kappa double, alignment_reason text, n_double bigint, people_agreement double",
    "fct_criteria_drift": f"{_KEY}, preceding_version text, n_relabelled bigint, flip_rate double, ci_low double,"
    " ci_high double, author text, reason text",
}


def rows(day: date) -> dict[str, list[dict[str, Any]]]:
    """A rate with the judge, one without enough labels, a measured judge, and a criterion that changed."""
    key = {"day": day, "route": "reply", "criterion": "polite", "criterion_version": "v2"}
    rate = {
        "window_days": 28, "n_labels": 210, "n_judged": 8400, "failure_rate": 0.084, "ci_low": 0.061,
        "ci_high": 0.113, "of_labels_alone": 0.09, "ci_low_alone": 0.058, "ci_high_alone": 0.137,
    }  # fmt: skip
    unknown = {
        "window_days": 7, "n_labels": 41, "n_judged": 2100, "of_labels_alone": 0.098, "ci_low_alone": 0.039,
        "ci_high_alone": 0.226, "reason": "41 labels, 60 are needed",
    }  # fmt: skip
    judge = {
        "judge": "sim/<b>judge</b>", "n_labels": 210, "n_failures": 31, "is_weighted": True, "n_double": 12,
        "tpr": 0.81, "tpr_low": 0.64, "tpr_high": 0.92, "tnr": 0.95, "tnr_low": 0.91, "tnr_high": 0.98,
        "agreement": 0.93, "ac1": 0.9, "kappa": 0.68,
    }  # fmt: skip
    drift = {
        "day": day - timedelta(days=3), "preceding_version": "v1", "n_relabelled": 10, "flip_rate": 0.2,
        "ci_low": 0.057, "ci_high": 0.51,
    }  # fmt: skip
    return {
        "fct_label_rates": [key | rate, key | unknown],
        "fct_judge_alignment": [key | judge],
        "fct_criteria_drift": [key | drift],
    }

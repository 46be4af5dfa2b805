"""Topics and holdouts for the synthetic night."""

import random
from collections.abc import Sequence
from datetime import date
from typing import Any

HOSTILE = "</title></svg><script>alert('points')</script>"


def rows(days: Sequence[date]) -> list[dict[str, Any]]:
    """Fifteen topics of triage over `days`: of the last three, one grows and one is new, with a hostile label."""
    dice = random.Random(11)
    found = [row(day, "reply", "0b2d-1", "thanks, all", 1.0, 1.0) for day in days]
    for n in range(1, 14):
        usual = 0.14 - n / 100
        for day in days:
            if n == 13 and day in days[-3:]:
                found.append(row(day, "triage", "7a1c-13", "label 13", usual, usual + 0.09, "growing"))
            else:
                share = usual * dice.uniform(0.8, 1.2) if day < days[-1] else usual
                found.append(row(day, "triage", f"7a1c-{n}", f"label {n:02}", usual, share))
    found += [row(day, "triage", "7a1c-14", HOSTILE, 0.001, 0.04, "new") for day in days[-3:]]
    return [*found, row(days[-1], "triage", "7a1c-15", "fax", 0.02, 0.0, "vanished")]


def row(  # noqa: PLR0917 - a row reads best in the order of its columns
    day: date, route: str, topic_id: str, label: str, before: float, share: float, status: str = "stable"
) -> dict[str, Any]:
    """One row of fct_topic_drift_daily."""
    return {
        "day": day, "route": route, "topic_id": topic_id, "share_reference": before, "share_current": share,
        "status": status, "label": label,
    }  # fmt: skip


def freshness(day: date, route: str, uncovered: float | None, is_stale: bool) -> dict[str, Any]:
    """One row of fct_holdout_freshness."""
    return {"day": day, "route": route, "age_days": 29, "uncovered_share": uncovered, "is_stale": is_stale}

"""A night's verdicts on the anchor set compared with those of earlier nights, as `flows.stats.anchor_change` does it.

The past of a judge begins with the last night that showed another one beyond doubt: else a change would be found
again on each night after it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np

from flows.config import Config
from flows.evaluate.anchor.anchor_set import Anchor
from flows.evaluate.anchor.people import Key
from flows.evaluate.generate import anchor_run_id
from flows.lake import Lake, from_rows
from flows.stats.anchor_change import VerdictChange, verdict_change

ALL = "*"
# Whatever else is tested in a night, its control lets such a p-value pass.
_BEYOND_DOUBT = 1e-6
_COLUMNS = (
    *("judge", "route", "criterion", "criterion_version", "subject_id", "verdict", "model_served"),
    "system_fingerprint",
)

Answers = Sequence[Anchor]
Grades = Mapping[tuple[Key, str], Sequence[bool]]


def land_tests(
    config: Config, day: date, judge: str, judged: Iterable[tuple[str, str]], sets: Mapping[Key, Answers]
) -> float | None:
    """Write a row of `anchor_tests` for the judge as a whole, and for each (route, criterion) of `judged`.

    Returns the p-value; None without a verdict of tonight, or without enough nights before.
    """
    lake = config.open_lake()
    tonight = _graded(lake, day, judge)
    if not tonight:
        return None
    past = [_grades(_graded(lake, one, judge)) for one in _past(config, lake, day, judge)]
    nights = [*past, _grades(tonight)]
    every = [anchor for anchors in sets.values() for anchor in anchors]
    whole = _change(every, nights)
    row = {
        "run_id": anchor_run_id(day),
        "judge": judge,
        "served_names": sorted({one["model_served"] for one in tonight if one["model_served"]}),
        "fingerprints": sorted({one["system_fingerprint"] for one in tonight if one["system_fingerprint"]}),
    }
    rows = [{**row, "route": ALL, "criterion": ALL, **_columns(whole)}]
    for route, criterion in judged:
        own = [anchor for anchor in every if anchor.key[:2] == (route, criterion)]
        known = _columns(_change(own, nights)) if own else {}
        rows.append({**row, "route": route, "criterion": criterion, **known, "p_value": None})
    lake.write("anchor_tests", day, from_rows(rows, "anchor_tests"), anchor_run_id(day))
    return whole.p_value


def _past(config: Config, lake: Lake, day: date, judge: str) -> list[date]:
    """The nights to compare with, the oldest first: those of the window, back to the last one that showed a change."""
    nights: list[date] = []
    for night in reversed([one for one in lake.days("anchor_grades") if 0 < (day - one).days <= config.window_days]):
        nights.append(night)
        tests = lake.read("anchor_tests", night).to_pylist()
        if any(row["judge"] == judge and _is_beyond_doubt(row, config.limits["min_judge_shift"]) for row in tests):
            break
    return nights[::-1]


def _is_beyond_doubt(row: Mapping[str, Any], least: float) -> bool:
    if row["route"] != ALL or row["p_value"] is None:
        return False
    return bool(row["p_value"] <= _BEYOND_DOUBT and row["unlike"] - row["unlike_before"] >= least)


def _graded(lake: Lake, day: date, judge: str) -> list[dict[str, Any]]:
    """The judge's verdicts of a night."""
    rows = lake.read("anchor_grades", day, anchor_run_id(day), columns=_COLUMNS).to_pylist()
    return [row for row in rows if row["judge"] == judge and row["verdict"] is not None]


def _grades(rows: Iterable[Mapping[str, Any]]) -> Grades:
    """The verdicts by criterion and answer."""
    found: dict[tuple[Key, str], list[bool]] = {}
    for row in rows:
        key = (row["route"], row["criterion"], row["criterion_version"])
        found.setdefault((key, row["subject_id"]), []).append(row["verdict"])
    return found


def _change(anchors: Answers, nights: Sequence[Grades]) -> VerdictChange:
    """Nights without a verdict on any of the answers are left out."""
    verdicts = [[night.get((one.key, one.subject_id), ()) for one in anchors] for night in nights]
    passed = np.array([[sum(one) for one in night] for night in verdicts])
    graded = np.array([[len(one) for one in night] for night in verdicts])
    there = [n for n, night in enumerate(graded) if night.any() or n == len(nights) - 1]
    return verdict_change(passed[there], graded[there], np.array([one.passed for one in anchors]))


def _columns(change: VerdictChange) -> dict[str, Any]:
    return dict(vars(change))

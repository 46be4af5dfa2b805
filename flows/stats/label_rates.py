"""The failure rates of windows and of days from people's labels: the rows of fct_label_rates.

Below the least numbers of labels a rate is None, with its reason in words: within them the intervals were simulated to
hold the truth (tests/bench/label_rates.py). They are no matter of risk, and so no thresholds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from math import isnan
from typing import Any

import numpy as np

from flows.stats.label_history import LONGEST, History, Row, histories
from flows.stats.label_measures import accuracy, counted, day_rate, rate_of_labels_alone, too_few, window_rate
from flows.stats.stratified_rate import Estimate

LEAST_LABELS, LEAST_IN_VERDICT = 60, 20
LEAST_LABELS_OF_DAY, LEAST_FAILURES, LEAST_YOUDEN = 210, 20, 0.3
WINDOWS = (7, LONGEST)
STRATIFIED, ROGAN_GLADEN = "stratified_mover", "rogan_gladen"
Ends = tuple[float | None, float | None, float | None]
NONE: Ends = (None, None, None)


@dataclass(frozen=True)
class Corrected:
    """A day's own rate with its interval, or the reason why there is none; `n` labels tell how right the judge is."""

    ends: Ends
    reason: str | None
    n: int


def label_rates(labels: Iterable[Row], strata: Iterable[Row], *, days: tuple[date, date]) -> list[dict[str, Any]]:
    """A row for each day of `days` (first, last), route, criterion and window with labels or strata in 28 days."""
    found = histories(labels, strata)
    return [
        {"day": day, "route": route, "criterion": criterion, **row}
        for (route, criterion), history in found.items()
        for day in days_between(*days)
        for row in _rows(history.window(day, LONGEST), day)
    ]


def days_between(first: date, last: date) -> Iterator[date]:
    """All days from `first` to `last`."""
    yield from (first + timedelta(days=n) for n in range((last - first).days + 1))


def _rows(history: History, day: date) -> Iterator[dict[str, Any]]:
    version = history.version()
    if version is None:
        return
    own = history.of(version)
    corrected = corrected_rate(history, day, version, own.judge())
    yield {
        **_of_labels(own.window(day, 1)),
        **_named("failure_rate", "ci_low", "ci_high", ends=corrected.ends),
        **{"window_days": 1, "method": ROGAN_GLADEN, "n_calibration": corrected.n, "reason": corrected.reason},
    }
    for window_days in WINDOWS:
        window = own.window(day, window_days)
        sums = window.sums()
        reason = too_few(sums, LEAST_LABELS, LEAST_IN_VERDICT)
        if reason:
            reason += _change(history.window(day, window_days), version)
        yield {
            **_of_labels(window),
            **_named("failure_rate", "ci_low", "ci_high", ends=NONE if reason else ends_of(window_rate(sums))),
            **{"window_days": window_days, "method": STRATIFIED, "n_calibration": None, "reason": reason},
        }


def _of_labels(window: History) -> dict[str, Any]:
    """What the labels of a window say by themselves."""
    sums = window.sums()
    return {
        "criterion_version": window.version(),
        "n_labels": int(sums.labels.sum()),
        "n_judged": window.verdicts()[1],
        **_named("of_labels_alone", "ci_low_alone", "ci_high_alone", ends=ends_of(rate_of_labels_alone(sums))),
    }


def corrected_rate(history: History, day: date, version: str, judge: str | None) -> Corrected:
    """The day's own rate from the verdicts of a judge, corrected by how often it was right in the 28 days before.

    `history` has these 28 days. Only held-out labels of this version and judge count.
    """
    of_day = history.window(day, 1).of(version, judge)
    failed, judged = of_day.verdicts()
    if judge is None or not judged:
        return Corrected(NONE, "the strata of this day have no verdicts of a judge", 0)
    held_out = history.of(version, judge).held_out()
    sums = held_out.sums()
    n = int(sums.labels.sum())
    n_failed = sum(one.is_failed for one in held_out.answers if one.stratum is not None)
    reason = None
    if n < LEAST_LABELS_OF_DAY:
        reason = f"{counted(n, 'label')} in {LONGEST} days, {LEAST_LABELS_OF_DAY} are needed"
    elif n_failed < LEAST_FAILURES:
        reason = f"{counted(n_failed, 'labelled failure')} in {LONGEST} days, {LEAST_FAILURES} are needed"
    reason = reason or too_few(sums, LEAST_LABELS, LEAST_IN_VERDICT)
    if reason:
        return Corrected(NONE, f"{reason}{_change(history, version, judge)}", n)
    known = accuracy(sums)
    least = float(known.least_youden)
    if not least >= LEAST_YOUDEN:
        low = "is not known" if isnan(least) else f"may be as low as {least:.2f}, {LEAST_YOUDEN} is needed"
        return Corrected(NONE, f"the judge's TPR + TNR - 1 {low}", n)
    return Corrected(ends_of(day_rate(np.array(float(failed)), np.array(float(judged)), known)), None, n)


def _change(history: History, version: str, judge: str | None = None) -> str:
    """That the criterion, or the judge if one is given, changed within the days of `history`, as a clause, or empty."""
    changed = ["criterion"] if any(row["criterion_version"] != version for row in history.strata) else []
    if judge is not None and any(row["judge"] not in (None, judge) for row in history.strata):
        changed.append("judge")
    days = [row["day"] for row in history.of(version, judge).strata]
    return f"; the {' and the '.join(changed)} changed on {min(days)}" if changed and days else ""


def ends_of(found: Estimate) -> Ends:
    """Value and limits as numbers; None where there is no value."""
    if isnan(found.value):
        return NONE
    return float(found.value), float(found.low), float(found.high)


def _named(*names: str, ends: Ends) -> dict[str, float | None]:
    return dict(zip(names, ends, strict=True))

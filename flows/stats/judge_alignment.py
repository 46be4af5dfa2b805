"""How a judge agrees with people, and people with each other: the rows of fct_judge_alignment."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import numpy as np

from flows.stats.agreement import Agreement, agreement_of
from flows.stats.label_history import LONGEST, Answer, History, Row, histories
from flows.stats.label_measures import accuracy, agreement_with_judge, counted, too_few
from flows.stats.label_rates import (
    LEAST_IN_VERDICT,
    LEAST_LABELS,
    NONE,
    Ends,
    corrected_rate,
    days_between,
    ends_of,
)
from flows.stats.label_strata import Strata

LEAST_DOUBLE = 60
_OF_JUDGE = ("tpr", "tnr", "agreement", "ac1", "kappa")
_OF_PEOPLE = ("people_agreement", "people_ac1", "people_kappa")
MEASURES = tuple(f"{name}{end}" for name in (*_OF_JUDGE, *_OF_PEOPLE) for end in ("", "_low", "_high"))
"""The columns of measures, each with the ends of its interval."""


def judge_alignment(labels: Iterable[Row], strata: Iterable[Row], *, days: tuple[date, date]) -> list[dict[str, Any]]:
    """A row for each day of `days` (first, last), route, criterion, version and judge with labels or strata in 28 days.

    Where a version and judge have no drawn labels, imported ones count, all alike: their probabilities are not known.
    """
    found = histories(labels, strata)
    return [
        {"day": day, "route": route, "criterion": criterion, "criterion_version": version, "judge": judge}
        | _row(history.window(day, LONGEST), day, version, judge)
        for (route, criterion), history in found.items()
        for day in days_between(*days)
        for version, judge in _judged(history.window(day, LONGEST))
    ]


def _judged(history: History) -> list[tuple[str, str]]:
    of_strata = {(row["criterion_version"], row["judge"]) for row in history.strata}
    of_labels = {(one.version, one.judge) for one in history.answers if one.is_failed_by_judge is not None}
    return sorted((version, judge) for version, judge in of_strata | of_labels if judge is not None)


def _row(history: History, day: date, version: str, judge: str) -> dict[str, Any]:
    held_out = history.of(version, judge).held_out()
    sums = held_out.sums()
    is_weighted = bool(sums.labels.sum()) or not held_out.answers
    if not is_weighted:
        sums = held_out.imported()
    reason = too_few(sums, LEAST_LABELS, LEAST_IN_VERDICT)
    measures = _NO_MEASURES if reason else _measures(sums)
    if not reason and None in (measures[0][0], measures[1][0]):
        reason = "no labelled failure" if measures[0][0] is None else "no answer that people passed"
    counts = [one for one in held_out.answers if (one.stratum is not None) == is_weighted]
    people = history.of(version).answers
    corrected = corrected_rate(history, day, version, judge)
    return {
        "n_labels": int(sums.labels.sum()),
        "n_failures": sum(one.is_failed for one in counts),
        "is_weighted": is_weighted,
        **_columns(_OF_JUDGE, measures),
        "alignment_reason": reason,
        **_between_people(people),
        **dict(zip(("corrected_failure_rate", "ci_low", "ci_high"), corrected.ends, strict=True)),
        "reason": corrected.reason,
    }


_NO_MEASURES = (NONE,) * len(_OF_JUDGE)


def _measures(sums: Strata) -> Sequence[Ends]:
    known = accuracy(sums)
    return [ends_of(known.tpr), ends_of(known.tnr), *_ends(agreement_with_judge(sums))]


def _between_people(answers: Sequence[Answer]) -> dict[str, Any]:
    """The agreement of the first two people who judged an answer."""
    pairs = [one.pair for one in answers if one.pair is not None]
    reason = None if len(pairs) >= LEAST_DOUBLE else f"{counted(len(pairs), 'double label')}, {LEAST_DOUBLE} are needed"
    table = np.zeros((2, 2))
    for first, second in pairs:
        table[int(not first), int(not second)] += 1
    measures = [NONE] * len(_OF_PEOPLE) if reason else _ends(agreement_of(table))
    return {"n_double": len(pairs), **_columns(_OF_PEOPLE, measures), "people_reason": reason}


def _ends(found: Agreement) -> list[Ends]:
    return [ends_of(one) for one in (found.agreement, found.ac1, found.kappa)]


def _columns(names: Sequence[str], measures: Sequence[Ends]) -> dict[str, float | None]:
    return {
        f"{name}{suffix}": end
        for name, ends in zip(names, measures, strict=True)
        for suffix, end in zip(("", "_low", "_high"), ends, strict=True)
    }

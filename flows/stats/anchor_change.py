"""Whether a judge still gives the verdicts that it gave: tonight's verdicts on fixed answers, paired with its own past.

A judge is not deterministic: some answers get one verdict on one night and the other on the next. If the judge is the
same, the verdicts on one answer are exchangeable between nights. So, given how often an answer passed in all, how often
it passed on the last nights follows the hypergeometric distribution, whatever its own rate is: the test needs no model
of the judge. The statistic is the number of the last nights' verdicts that differ from the majority of those before;
its exact distribution is the convolution over the answers. With one night before and one after it is McNemar's test.

What all answers of a night have in common (another machine, another batch) makes them differ together. How much more
past nights vary than the exact distribution says widens it, with Student's distribution because it is estimated.
"""

import math
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtr
from scipy.stats import hypergeom

from flows.stats.windows import LONGEST, SHARES, combined

Array = np.ndarray[Any, np.dtype[Any]]

FEWEST_NIGHTS = 3
"""Nights before a window of the last ones, without which it is not tested."""
_MOST_OF_A_NIGHT = 9.0  # squared deviation of a past night, at most
_NIGHTS_OF_EXACT = 7.0  # so many nights count as if they varied as the exact distribution says
_LEAST_FREEDOM = 3.0
_LEAST_P = 1e-300
_ROUNDING = 1e-9


@dataclass(frozen=True)
class VerdictChange:
    """The verdicts of the last `window_nights` nights compared with those of `n_nights` before them.

    `unlike` is the share of them that differ from the majority of the nights before, `unlike_before` the same of each
    of those nights and the others. `agreement` is the share that equal the labels, on the answers that both have;
    `agreement_before` that of the nights before. All but the counts are None without enough nights.
    """

    n_items: int
    n_nights: int
    window_nights: int
    agreement: float | None
    agreement_before: float | None = None
    unlike: float | None = None
    unlike_before: float | None = None
    p_value: float | None = None


def verdict_change(passed: Array, graded: Array, labels: Array) -> VerdictChange:
    """Test the last night, and windows of nights that end with it, by `flows.stats.windows.SHARES`.

    `passed` and `graded` (nights, answers) count the verdicts of a night that pass the answer, and all of them (0 where
    it was not graded), oldest night first; `labels` (answers,) are 1 where people pass it, else 0.
    """
    passed, graded = np.asarray(passed, np.int64), np.asarray(graded, np.int64)
    n_items, n_nights = int((graded[-1] > 0).sum()), len(graded) - 1
    spread = _spread(passed[:-1], graded[:-1])
    found = {nights: _p_value(passed, graded, nights, spread) for nights in SHARES}
    p, chosen = combined({nights: np.array([value]) for nights, value in found.items()})
    nights = int(chosen[0])
    if np.isnan(p[0]):
        return VerdictChange(n_items, n_nights, 1, _agreement(passed[-1:], graded[-1:], labels))
    both = (graded[-nights:].sum(0) > 0) & (graded[:-nights].sum(0) > 0)
    here, before = (slice(-nights, None), both), (slice(None, -nights), both)
    return VerdictChange(
        n_items,
        len(graded) - nights,
        nights,
        _agreement(passed[here], graded[here], labels[both]),
        _agreement(passed[before], graded[before], labels[both]),
        _unlike(passed[here], graded[here], passed[before].sum(0), graded[before].sum(0)),
        _unlike_each_other(passed[before], graded[before]),
        float(p[0]),
    )


def _p_value(passed: Array, graded: Array, nights: int, spread: float) -> float:
    """NaN without `FEWEST_NIGHTS` before the window, or without an answer that both have."""
    if len(graded) - nights < FEWEST_NIGHTS:
        return float("nan")
    now, n_now = passed[-nights:].sum(0), graded[-nights:].sum(0)
    past, n_past = passed[:-nights].sum(0), graded[:-nights].sum(0)
    if not ((n_now > 0) & (n_past > 0)).any():
        return float("nan")
    statistic = int(_unlike_majority(now, n_now, past, n_past).sum())
    p = float(min(1.0, _distribution(now + past, n_now, n_now + n_past)[statistic:].sum()))
    if spread > 1.0 + _ROUNDING:
        # The more nights vary, the longer the tails of their distribution.
        freedom = max((len(graded) - 1 + _NIGHTS_OF_EXACT) / spread, _LEAST_FREEDOM)
        p = float(stdtr(freedom, ndtri(max(p, _LEAST_P)) / np.sqrt(spread)))
    return p


def _unlike_majority(now: Array, n_now: Array, past: Array, n_past: Array) -> Array:
    """How many of `n_now` verdicts, of which `now` pass, differ from the majority of the past; 0 where it is a tie."""
    twice = 2 * past
    unlike: Array = np.where(twice > n_past, n_now - now, np.where(twice < n_past, now, 0))
    return unlike


def _distribution(passes: Array, n_now: Array, n: Array) -> Array:
    """The probability of each value of the statistic, given that `passes` of `n` verdicts on each answer pass."""
    total = np.ones(1)
    for kind, times in _kinds(passes, n_now, n).items():
        of_one = _of_one(*kind)
        for _ in range(times):
            total = np.convolve(total, of_one)
    return total


def _kinds(passes: Array, n_now: Array, n: Array) -> Counter[tuple[int, int, int]]:
    """The answers on which verdicts differ, by their counts: others add nothing to the statistic."""
    mixed = (passes > 0) & (passes < n) & (n_now > 0) & (n_now < n)
    return Counter(zip(passes[mixed].tolist(), n_now[mixed].tolist(), n[mixed].tolist(), strict=True))


@lru_cache(maxsize=10_000)
def _of_one(k: int, drawn: int, m: int) -> Array:
    """The same of one answer."""
    now = np.arange(max(0, drawn - (m - k)), min(drawn, k) + 1)
    unlike = _unlike_majority(now, np.full(len(now), drawn), k - now, np.full(len(now), m - drawn))
    probability: Array = np.bincount(unlike, weights=hypergeom.pmf(now, m, k, drawn), minlength=drawn + 1)
    return probability


@lru_cache(maxsize=10_000)
def _moments(k: int, drawn: int, m: int) -> tuple[float, float]:
    """The mean and the variance of the statistic of one answer."""
    probability = _of_one(k, drawn, m)
    values = np.arange(len(probability))
    mean = float(probability @ values)
    return mean, float(probability @ (values - mean) ** 2)


def _spread(passed: Array, graded: Array) -> float:
    """How many times as large as by the exact distribution the variance of past nights is, 1 or more.

    Each is compared with the others. Where there are enough nights before the longest window, only these count: a
    change that is not found yet must not hide itself. Else what one night adds is bounded.
    """
    most = math.inf
    if len(graded) - LONGEST >= _NIGHTS_OF_EXACT:
        passed, graded = passed[:-LONGEST], graded[:-LONGEST]
    else:
        most = _MOST_OF_A_NIGHT
    total, n = passed.sum(0), graded.sum(0)
    squares = []
    for now, n_now in zip(passed, graded, strict=True):
        moments = [(times, *_moments(*kind)) for kind, times in _kinds(total, n_now, n).items()]
        mean, variance = (sum(times * moment[k] for times, *moment in moments) for k in (0, 1))
        if variance > 0:
            off = float(_unlike_majority(now, n_now, total - now, n - n_now).sum()) - mean
            squares.append(min(off**2 / variance, most))
    return float(max(1.0, (_NIGHTS_OF_EXACT + sum(squares)) / (_NIGHTS_OF_EXACT + len(squares))))


def _unlike(passed: Array, graded: Array, past: Array, n_past: Array) -> float | None:
    n = int(graded.sum())
    now, n_now = passed.sum(0), graded.sum(0)
    return float(_unlike_majority(now, n_now, past, n_past).sum() / n) if n else None


def _unlike_each_other(passed: Array, graded: Array) -> float | None:
    total, n = passed.sum(0), graded.sum(0)
    unlike = sum(
        int(_unlike_majority(now, n_now, total - now, n - n_now).sum())
        for now, n_now in zip(passed, graded, strict=True)
    )
    return unlike / int(n.sum()) if n.sum() else None


def _agreement(passed: Array, graded: Array, labels: Array) -> float | None:
    n = int(graded.sum())
    agreeing = np.where(labels > 0, passed, graded - passed)  # (nights, answers)
    return float(agreeing.sum() / n) if n else None

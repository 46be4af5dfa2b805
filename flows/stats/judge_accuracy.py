"""How often a judge is right about failed and about good answers, from labels drawn by the judge's verdict."""

from typing import Any

import numpy as np
from scipy.special import ndtri

from flows.stats.stratified_rate import Estimate, weighted_sum

Array = np.ndarray[Any, np.dtype[Any]]


def share_of_first(first: Estimate, second: Estimate) -> Estimate:
    """first / (first + second), of independent values of at least 0 and limits that hold them; NaN where both are 0.

    MOVER-R, limits of a ratio from those of its parts (Donner and Zou 2012, Statistical Methods in Medical Research
    21:347, their equations for a ratio), in the form that does not divide by what may be 0.
    """
    total = first.value + second.value
    value = first.value / np.where(total > 0, total, np.nan)
    low = _least_share(first.value, first.low, second.value, second.high)
    high = 1 - _least_share(second.value, second.low, first.value, first.high)
    return Estimate(value, np.minimum(low, value), np.maximum(high, value))


def _least_share(one: Array, one_low: Array, other: Array, other_high: Array) -> Array:
    """r / (1 + r), where (one - r other)^2 = (one - one_low)^2 + r^2 (other_high - other)^2 and r <= one / other."""
    least, most = one_low * (2 * one - one_low), other_high * (2 * other - other_high)
    root = one * other + np.sqrt(np.maximum((one * other) ** 2 - least * most, 0.0))
    total = least + root
    share: Array = np.where(total > 0, least / np.where(total > 0, total, 1.0), 0.0)
    return share


def true_rates(
    sizes: Array, n: Array, failures: Array, is_failed_by_judge: Array, confidence: float = 0.95
) -> tuple[Estimate, Estimate]:
    """TPR and TNR: the share of the answers failed by people that the judge fails, and of good ones that it passes.

    Numbers of calls, of effective labels and of failures (by people) among these are (..., strata);
    `is_failed_by_judge` is (strata,): each stratum has one verdict of the judge. That the shares of the strata are
    those of a sample of calls is in the intervals: near the solution it adds to the variance of either part of the
    ratio on its own.
    """
    total = np.maximum(sizes.sum(-1), 1)
    shares = sizes / total[..., None]
    z2 = float(ndtri(0.5 + confidence / 2)) ** 2

    def part(counts: Array, where: Array) -> Estimate:
        labels, share = n[..., where], shares[..., where]
        found = weighted_sum(share, labels, counts[..., where], confidence)
        rate = np.where(labels > 0, counts[..., where] / np.where(labels > 0, labels, 1.0), 0.0)
        of_sizes = z2 * (share * rate**2).sum(-1) / total
        down, up = (np.sqrt((found.value - end) ** 2 + of_sizes) for end in (found.low, found.high))
        return Estimate(found.value, np.maximum(found.value - down, 0.0), found.value + up)

    failed, passed = is_failed_by_judge, ~is_failed_by_judge
    tpr = share_of_first(part(failures, failed), part(failures, passed))
    tnr = share_of_first(part(n - failures, passed), part(n - failures, failed))
    return tpr, tnr


def effective_labels(shares: Array, n: Array, failures: Array) -> tuple[Array, Array]:
    """Kish's effective numbers of labels on which TPR and TNR stand: of answers failed by people, and of good ones."""
    known = n > 0
    whole = np.where(known, n, 1.0)

    def effective_of(counts: Array) -> Array:
        rate = np.where(known, counts / whole, 0.0)
        squares = (shares**2 * rate / whole).sum(-1)
        found: Array = (shares * rate).sum(-1) ** 2 / np.where(squares > 0, squares, 1.0)
        return found

    return effective_of(failures), effective_of(n - failures)


def least_youden(tpr: Estimate, tnr: Estimate) -> Array:
    """The lower limit of TPR + TNR - 1 (Youden 1950, Cancer 3:32), the distances to the two lower limits added."""
    down = np.sqrt((tpr.value - tpr.low) ** 2 + (tnr.value - tnr.low) ** 2)
    least: Array = tpr.value + tnr.value - 1 - down
    return least

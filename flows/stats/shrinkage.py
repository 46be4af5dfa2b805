"""Empirical Bayes shrinkage of the variances of many series, each known from few days."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import fdtrc, polygamma, psi

Array = np.ndarray[Any, np.dtype[Any]]

# Prior: the day-to-day standard deviation of the level, on the log odds scale (numbers: in their own), and the
# weight of this prior in degrees of freedom, in one series and in all series together.
ASSUMED_WANDER = 0.25
ASSUMED_FREEDOM = 4.0
_WORTH_OF_ASSUMED = 30.0
_MOST_FREEDOM = 100.0
_ENOUGH_SERIES = 10
# The p-value from which on a series is treated like the others.
_LIKE_OTHERS = 0.2
_FREEDOM_OF_A_WEEK = 6


@dataclass(frozen=True)
class Squeezed:
    """For S series: `wander`, the day-to-day variance on the log odds scale, and its degrees of freedom.

    `common` is the day-to-day variance that all series have in common.
    """

    wander: Array
    freedom: Array
    common: float


def squeeze(dispersion: Array, freedom: Array, worth: Array, reliable: Array, varies: Array) -> Squeezed:
    """Shrink the dispersions of S series towards a common prior.

    `dispersion` (S,) is the variance of past days in units of their sampling variance, with `freedom` degrees of
    freedom; `worth` is what a day-to-day variance of 1 adds to it. Series with a common day-to-day variance t^2 have
    the dispersion 1 + t^2 worth. Around this, dispersions vary by chance and by series; the variance of their
    logarithms separates the two (Smyth 2004, SAGMB 3:3, section 6.2) and sets the shrinkage. Only `reliable` series,
    with enough events for the dispersion to follow a chi-square distribution, are used for the prior, and of them only
    those whose values have varied (`varies`): the dispersion of a constant is that of its rounding errors.
    """
    informative = reliable & varies & (freedom >= 1) & np.isfinite(worth) & (dispersion > 0)
    wander = _common_wander(dispersion[informative], freedom[informative], worth[informative])
    prior = 1 + wander * np.nan_to_num(worth)
    scale, prior_freedom = _common_scale(dispersion[informative] / prior[informative], freedom[informative])
    known = np.where(reliable, freedom, 0.0)
    # A series that varies more than the prior explains is an outlier (Phipson and others 2016, AOAS 10:946): the less
    # it fits, the less weight the prior gets.
    fits = fdtrc(np.maximum(known, 1.0), prior_freedom, dispersion / prior / scale)
    of_series = prior_freedom * np.where(known >= 1, np.clip(fits / _LIKE_OTHERS, 0.02, 1.0), 1.0)
    ratio = (of_series * scale + known * dispersion / prior) / (of_series + known)
    squeezed = np.maximum(prior * ratio, 1.0)
    # Rare events are counts: sampling explains nearly all of their noise. After a week it counts as known.
    is_count = ~reliable & (freedom >= _FREEDOM_OF_A_WEEK)
    freedom = np.where(is_count, _MOST_FREEDOM, np.minimum(of_series + known, _MOST_FREEDOM))
    return Squeezed((squeezed - 1) / np.where(worth > 0, worth, np.inf), freedom, wander)


def _common_wander(dispersion: Array, freedom: Array, worth: Array) -> float:
    """The common day-to-day variance, by weighted least squares, combined with the assumed one.

    Both count by their precision: what many calls a day say of it outweighs the assumption within days.
    """
    wander, precision = ASSUMED_WANDER**2, _WORTH_OF_ASSUMED / ASSUMED_WANDER**4
    if len(dispersion):
        for _ in range(5):
            expected = 1 + wander * worth
            # Outliers are capped at five times the expected dispersion.
            capped = np.minimum(dispersion, 5 * expected)
            weight = freedom * worth / expected**2
            known = float((weight * worth).sum())
            estimate = max(0.0, float((weight * (capped - 1)).sum()) / max(known, 1e-300))
            wander = (known * estimate + precision * ASSUMED_WANDER**2) / (known + precision)
    return wander


def _common_scale(ratio: Array, freedom: Array) -> tuple[float, float]:
    """The scale of the prior, and its weight in degrees of freedom."""
    if len(ratio) < _ENOUGH_SERIES:
        return 1.0, ASSUMED_FREEDOM
    logs = np.log(ratio) - psi(freedom / 2) + np.log(freedom / 2)
    logs = np.clip(logs, *np.quantile(logs, (0.02, 0.98)))
    excess = float(logs.var(ddof=1) - polygamma(1, freedom / 2).mean())
    prior_freedom = _MOST_FREEDOM if excess <= 0 else min(2 * _inverse_trigamma(excess), _MOST_FREEDOM)
    scale = float(np.exp(logs.mean() + psi(prior_freedom / 2) - np.log(prior_freedom / 2)))
    return max(scale, 0.5), max(prior_freedom, 1.0)


def _inverse_trigamma(value: float) -> float:
    """x with trigamma(x) = value > 0, by Newton's method on 1 / trigamma (Smyth 2004, appendix)."""
    x = 0.5 + 1 / value
    for _ in range(20):
        trigamma = float(polygamma(1, x))
        x += trigamma * (1 - trigamma / value) / float(polygamma(2, x))
    return x

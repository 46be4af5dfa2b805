"""Variances of many series, each known from few days, squeezed towards what they have in common."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import fdtrc, polygamma, psi

Array = np.ndarray[Any, np.dtype[Any]]

# Assumed before days say better: a wander of the level on the odds scale (in standard deviations of a number), what
# that assumption is worth in degrees of freedom of one series, and in those of all together.
ASSUMED_WANDER = 0.25
ASSUMED_FREEDOM = 4.0
_WORTH_OF_ASSUMED = 30.0
_MOST_FREEDOM = 100.0
_ENOUGH_SERIES = 10
# Chances from which on a series is held to be like the others.
_LIKE_OTHERS = 0.2
_FREEDOM_OF_A_WEEK = 6


@dataclass(frozen=True)
class Squeezed:
    """Of S series: `wander`, the variance of their days' levels on the odds scale, and its degrees of freedom."""

    wander: Array
    freedom: Array


def squeeze(dispersion: Array, freedom: Array, worth: Array, reliable: Array) -> Squeezed:
    """Squeeze the dispersions of S series.

    `dispersion` (S,) is the variance of past days in units of what their calls explain, with `freedom` degrees of
    freedom; `worth` is what a wander of 1 would add to it. Series that share one wander t^2 have 1 + t^2 worth. Around
    this the dispersions vary by chance and by their own nature; how much by which is told by the variance of their
    logarithms (Smyth 2004, SAGMB 3:3, section 6.2), and each is squeezed accordingly. Only `reliable` series tell
    what they have in common: those that were seen often enough for their dispersion to follow a chi-square.
    """
    informative = reliable & (freedom >= 1) & np.isfinite(worth) & (dispersion > 0)
    wander = _common_wander(dispersion[informative], freedom[informative], worth[informative])
    prior = 1 + wander * np.nan_to_num(worth)
    scale, prior_freedom = _common_scale(dispersion[informative] / prior[informative], freedom[informative])
    known = np.where(reliable, freedom, 0.0)
    # A series that varies more than its prior can explain has a nature of its own (Phipson and others 2016, AOAS
    # 10:946): the less it fits, the less the prior counts.
    fits = fdtrc(np.maximum(known, 1.0), prior_freedom, dispersion / prior / scale)
    of_series = prior_freedom * np.where(known >= 1, np.clip(fits / _LIKE_OTHERS, 0.02, 1.0), 1.0)
    ratio = (of_series * scale + known * dispersion / prior) / (of_series + known)
    squeezed = np.maximum(prior * ratio, 1.0)
    # Rare events are counts: their calls explain nearly all of their noise. After a week they are sure.
    is_count = ~reliable & (freedom >= _FREEDOM_OF_A_WEEK)
    freedom = np.where(is_count, _MOST_FREEDOM, np.minimum(of_series + known, _MOST_FREEDOM))
    return Squeezed((squeezed - 1) / np.where(worth > 0, worth, np.inf), freedom)


def _common_wander(dispersion: Array, freedom: Array, worth: Array) -> float:
    """The wander that series share, by weighted least squares; blended with what is assumed."""
    wander = ASSUMED_WANDER**2
    if len(dispersion):
        for _ in range(5):
            expected = 1 + wander * worth
            # Far above what is expected a series has a nature of its own: it counts as five times that.
            capped = np.minimum(dispersion, 5 * expected)
            weight = freedom * worth / expected**2
            estimate = max(0.0, float((weight * (capped - 1)).sum() / max((weight * worth).sum(), 1e-300)))
            certainty = float(freedom.sum())
            wander = (certainty * estimate + _WORTH_OF_ASSUMED * ASSUMED_WANDER**2) / (certainty + _WORTH_OF_ASSUMED)
    return wander


def _common_scale(ratio: Array, freedom: Array) -> tuple[float, float]:
    """Around which multiple of their prior the dispersions lie, and the degrees of freedom that the prior is worth."""
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

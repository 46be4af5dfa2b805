"""A robust fit of the level and the weekday effects of series, from past days that may contain outliers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import xlogy

Array = np.ndarray[Any, np.dtype[Any]]

# Days farther than this from the level, in standard deviations, get weight 0 (Tukey's biweight).
_REACH = 6.0
_ROUNDS = 5
# Weekdays are fitted first if they reduce the distance of far days at least to this factor.
_MUCH_NEARER = 0.4
# Days (of full weight) from which a weekday's effect counts as known.
_DAYS_OF_WEEKDAY = 2.5
# The share of a normal variance that the biweight keeps: E[w z^2] / E[w].
_KEPT = (1 - 6 / _REACH**2 + 15 / _REACH**4) / (1 - 2 / _REACH**2 + 3 / _REACH**4)


@dataclass(frozen=True)
class Levels:
    """The expectation of S series for the tested day, each (S,).

    `expected` is level plus weekday effect, `variance` the variance of this estimate, `dispersion` the variance of past
    days around it in units of their sampling variance, with `freedom` degrees of freedom (0: unknown).
    """

    expected: Array
    variance: Array
    dispersion: Array
    freedom: Array
    knows_weekday: Array


def levels(y: Array, within: Array, weekday: Array, *, mean: Array, floor: Array, is_share: Array) -> Levels:
    """Fit S series over D past days for the day after them.

    `y` and `within` (S, D) are the days' means and their sampling variances (NaN without a value), `weekday` (D + 1,)
    with the tested day last, `mean` (S,) the smoothed mean of all days, `floor` (S,) the least distance of a share from
    0 and from 1. The fit weights days by Tukey's biweight around a median, so that outliers and former levels do not
    count. Weekday effects are shrunk by the positive-part James-Stein rule (Efron and Morris 1973, JASA 68:117),
    according to how much the days of one weekday differ among themselves.
    """
    there = np.isfinite(y) & np.isfinite(within) & (within > 0)
    y, within = np.where(there, y, 0.0), np.where(there, within, 1.0)
    fitted = _first_fit(y, there, weekday, _median(y, there, mean, is_share))
    dispersion = np.maximum(1.0, _middle_spread(_residuals(y, fitted[:, :-1], within, is_share), there) ** 2)
    for _ in range(_ROUNDS):
        residuals = _residuals(y, fitted[:, :-1], within, is_share)
        z = residuals / np.sqrt(dispersion)[:, None]
        biweight = np.where(there & (np.abs(z) < _REACH), (1 - (z / _REACH) ** 2) ** 2, 0.0)
        fit = _fit(y, biweight / (within * dispersion[:, None]), biweight, weekday)
        fitted = np.where(is_share[:, None], np.clip(fit.fitted, floor[:, None], 1 - floor[:, None]), fit.fitted)
        residuals = _residuals(y, fitted[:, :-1], within, is_share)
        freedom = np.maximum(biweight.sum(1) - fit.parameters, 0.0)
        raw = (biweight * residuals**2).sum(1) / np.maximum(freedom, 1e-9) / _KEPT
        dispersion = np.where(freedom > 0, np.maximum(raw, 1.0), 1.0)
    return Levels(fitted[:, -1], fit.variance, np.where(freedom > 0, raw, 1.0), freedom, fit.knows_weekday)


@dataclass(frozen=True)
class _Fit:
    fitted: Array  # (S, D + 1)
    variance: Array  # (S,) of the last
    parameters: Array  # (S,) that were spent
    knows_weekday: Array  # (S,)


def _fit(y: Array, weight: Array, counts: Array, weekday: Array) -> _Fit:
    """Level and shrunk weekday effects. `weight` are inverse variances, `counts` the same weights in days."""
    total = weight.sum(1)
    level = np.where(total > 0, (weight * y).sum(1) / np.maximum(total, 1e-300), 0.0)
    is_day = weekday[None, :-1] == np.unique(weekday)[:, None]  # (K, D)
    of_day = weight @ is_day.T  # (S, K)
    rest = y - level[:, None]
    effect = ((weight * rest) @ is_day.T) / np.maximum(of_day, 1e-300)
    effect = np.where(of_day > 0, effect, 0.0)
    seen = (of_day > 0).sum(1)
    place = np.searchsorted(np.unique(weekday), weekday)
    within = (weight * (rest - effect[:, place[:-1]]) ** 2).sum(1)
    between = (of_day * effect**2).sum(1)
    free = counts.sum(1) - seen
    is_enough = (seen > 3) & (free >= 7)
    ratio = (within / np.maximum(free, 1)) / np.maximum(between / np.maximum(seen - 1, 1), 1e-300)
    rule = (seen - 3) / np.maximum(seen - 1, 1) * free / (free + 2)
    kept = np.where(is_enough, np.clip(1 - rule * ratio, 0.0, 1.0), 0.0)
    fitted = level[:, None] + kept[:, None] * effect[:, place]
    today = of_day[:, place[-1]]
    of_level = 1 / np.maximum(total, 1e-300)
    of_weekday = np.where(today > 0, 1 / np.maximum(today, 1e-300), 0.0) - of_level
    return _Fit(
        fitted=fitted,
        variance=np.where(total > 0, of_level + kept**2 * np.maximum(of_weekday, 0.0), np.inf),
        parameters=1 + kept * np.maximum(seen - 1, 0),
        knows_weekday=is_enough & ((counts * is_day[place[-1]]).sum(1) >= _DAYS_OF_WEEKDAY),
    )


def _median(y: Array, there: Array, mean: Array, is_share: Array) -> Array:
    middle = masked_median(y, there)
    middle = np.where(np.isfinite(middle), middle, mean)
    # A rare event is absent on most days; their median would make it impossible.
    return np.where(is_share & ((middle <= 0) | (middle >= 1)), mean, middle)


def _first_fit(y: Array, there: Array, weekday: Array, middle: Array) -> Array:
    """The median of all days, or medians by weekday if these explain most of the far days, (S, D + 1).

    Without the latter, a quiet weekend would be an outlier every week and never be learnt.
    """
    flat = np.repeat(middle[:, None], len(weekday), axis=1)
    by_weekday = flat.copy()
    for day in np.unique(weekday):
        same = weekday == day
        medians = masked_median(y[:, same[:-1]], there[:, same[:-1]])
        seen = there[:, same[:-1]].sum(1) > 1
        by_weekday[:, same] = np.where(seen, medians, middle)[:, None]
    far = [_upper(np.abs(y - fit[:, :-1]), there) for fit in (flat, by_weekday)]
    return np.where((far[1] < _MUCH_NEARER * far[0])[:, None], by_weekday, flat)


def _upper(values: Array, there: Array) -> Array:
    """The 85th percentile of each row's known values, (S,); 0 if there are none."""
    if not values.shape[1]:
        return np.zeros(len(values))
    ordered = np.sort(np.where(there, values, np.inf), axis=1)
    place = np.maximum(np.ceil(0.85 * there.sum(1)).astype(int) - 1, 0)
    upper = ordered[np.arange(len(values)), place]
    return np.where(there.any(1), upper, 0.0)


def masked_median(values: Array, there: Array) -> Array:
    """The median of each row's values where `there` is true, (S,); NaN if there are none."""
    count = there.sum(1)
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    ordered = np.sort(np.where(there, values, np.inf), axis=1)
    rows = np.arange(len(values))
    middle = (
        ordered[rows, np.maximum(count - 1, 0) // 2] + ordered[rows, np.minimum(count // 2, len(ordered.T) - 1)]
    ) / 2
    return np.where(count > 0, middle, np.nan)


def _middle_spread(residuals: Array, there: Array) -> Array:
    """The standard deviation estimated by the median of absolute residuals; 0 if there are none."""
    spread = 1.4826 * masked_median(np.abs(residuals), there)
    return np.where(np.isfinite(spread), spread, 0.0)


def _residuals(y: Array, fitted: Array, within: Array, is_share: Array) -> Array:
    """Residuals in sampling standard deviations; for shares the signed root of the deviance, for rare events."""
    of_shares = _deviance(y, np.clip(fitted, 1e-9, 1 - 1e-9), within)
    return np.where(is_share[:, None], of_shares, (y - fitted) / np.sqrt(within))


def _deviance(y: Array, expected: Array, within: Array) -> Array:
    """The signed root of the deviance of shares (McCullagh and Nelder 1989, 2.4.3), with the number of calls that
    `within` implies."""
    n = expected * (1 - expected) / within
    half = xlogy(y, y / expected) + xlogy(1 - y, (1 - y) / (1 - expected))
    deviance: Array = np.sign(y - expected) * np.sqrt(2 * n * np.maximum(half, 0.0))
    return deviance

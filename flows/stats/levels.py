"""A robust fit of the level and the weekday effects of series, from past days that may contain outliers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import xlogy

Array = np.ndarray[Any, np.dtype[Any]]

# Days farther than this from the level, in standard deviations, get weight 0 (Tukey's biweight).
_REACH = 6.0
_ROUNDS = 3
# Weekdays are fitted first if they reduce the distance of far days at least to this factor.
_MUCH_NEARER = 0.4
# Days (of full weight) from which a weekday's effect counts as known.
_DAYS_OF_WEEKDAY = 2.5
# So many known days from Monday to Friday say how much the others of them may differ.
_WORKING_DAYS, _FEWEST_ALIKE = 5, 3
# The share of a normal variance that the biweight keeps: E[w z^2] / E[w].
_KEPT = (1 - 6 / _REACH**2 + 15 / _REACH**4) / (1 - 2 / _REACH**2 + 3 / _REACH**4)


@dataclass(frozen=True)
class Levels:
    """What S series are expected to be on each of their days.

    `fitted` (S, D + 1) is level plus weekday effect, and `residuals` (S, D) what past days differ from it, in sampling
    standard deviations, NaN without a value. `dispersion` (S,) is their variance, with `freedom` (S,) degrees of
    freedom (0: unknown). `place` (D + 1,) is the weekday of each day, as a column of `of_weekday` (S, K), the variance
    of the mean of the past days of each weekday, and of `unknown` (S, K), the variance of a weekday's own effect: 0
    where there are days enough, inf where nothing says how large it may be. `of_level` (S,) is the variance of the
    level, and `kept` (S,) the factor by which weekday effects were shrunk.
    """

    fitted: Array
    residuals: Array
    dispersion: Array
    freedom: Array
    place: Array
    of_level: Array
    of_weekday: Array
    kept: Array
    unknown: Array

    def by_weekday(self, places: Array, shares: Array) -> Array:
        """The share of each weekday (S, K) in a mean of days `places` (S, k) that has the weights `shares` (S, k)."""
        of_day = self.place[places]
        return np.stack([(shares * (of_day == day)).sum(1) for day in range(self.of_weekday.shape[1])], axis=1)

    def variance(self, by_weekday: Array) -> Array:
        """The variance of the mean of `fitted` over days of which each weekday has these shares (S, K), (S,)."""
        of_effects = np.maximum((by_weekday**2 * self.of_weekday).sum(1) - self.of_level, 0.0)
        return np.where(np.isfinite(self.of_level), self.of_level + self.kept**2 * of_effects, np.inf)


def levels(
    y: Array, within: Array, weekday: Array, *, mean: Array, floor: Array, is_share: Array, shrinks: bool = True
) -> Levels:
    """Fit S series over D past days for the day after them.

    `y` and `within` (S, D) are the days' means and their sampling variances (NaN without a value), `weekday` (D + 1,)
    with the tested day last, `mean` (S,) the smoothed mean of all days, `floor` (S,) the least distance of a share from
    0 and from 1. The fit weights days by Tukey's biweight around a median, so that outliers and former levels do not
    count. Weekday effects are shrunk by the positive-part James-Stein rule (Efron and Morris 1973, JASA 68:117),
    according to how much the days of one weekday differ among themselves; where `shrinks` is false, they are not shrunk
    if there are nights enough to know them.
    """
    there = np.isfinite(y) & np.isfinite(within) & (within > 0)
    y, within = np.where(there, y, 0.0), np.where(there, within, 1.0)
    fitted = _first_fit(y, there, weekday, _median(y, there, mean, is_share))
    certain = _certain(y[is_share])
    residuals = _residuals(y, fitted[:, :-1], within, is_share, certain)
    dispersion = np.maximum(1.0, _middle_spread(residuals, there) ** 2)
    for _ in range(_ROUNDS):
        z = residuals / np.sqrt(dispersion)[:, None]
        biweight = np.where(there & (np.abs(z) < _REACH), (1 - (z / _REACH) ** 2) ** 2, 0.0)
        fit = _fit(y, biweight / (within * dispersion[:, None]), biweight, weekday, shrinks)
        fitted = np.where(is_share[:, None], np.clip(fit.fitted, floor[:, None], 1 - floor[:, None]), fit.fitted)
        residuals = _residuals(y, fitted[:, :-1], within, is_share, certain)
        freedom = np.maximum(biweight.sum(1) - fit.parameters, 0.0)
        raw = (biweight * residuals**2).sum(1) / np.maximum(freedom, 1e-9) / _KEPT
        dispersion = np.where(freedom > 0, np.maximum(raw, 1.0), 1.0)
    return Levels(
        fitted=fitted,
        residuals=np.where(there, residuals, np.nan),
        dispersion=np.where(freedom > 0, raw, 1.0),
        freedom=freedom,
        place=np.searchsorted(np.unique(weekday), weekday),
        of_level=fit.of_level,
        of_weekday=fit.of_weekday,
        kept=fit.kept,
        unknown=fit.unknown,
    )


@dataclass(frozen=True)
class _Fit:
    fitted: Array  # (S, D + 1)
    of_level: Array  # (S,) variance of the level
    of_weekday: Array  # (S, K) variance of the mean of each weekday
    kept: Array  # (S,) of weekday effects
    parameters: Array  # (S,) that were spent
    unknown: Array  # (S, K) variance of an effect that is not known


def _fit(y: Array, weight: Array, counts: Array, weekday: Array, shrinks: bool) -> _Fit:
    """Level and weekday effects. `weight` are inverse variances, `counts` the same weights in days."""
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
    kept = np.where(is_enough, np.clip(1 - rule * ratio, 0.0, 1.0) if shrinks else 1.0, 0.0)
    fitted = level[:, None] + kept[:, None] * effect[:, place]
    return _Fit(
        fitted=fitted,
        of_level=np.where(total > 0, 1 / np.maximum(total, 1e-300), np.inf),
        of_weekday=np.where(of_day > 0, 1 / np.maximum(of_day, 1e-300), 0.0),
        kept=kept,
        parameters=1 + kept * np.maximum(seen - 1, 0),
        unknown=_unknown(effect, of_day, is_enough[:, None] & (counts @ is_day.T >= _DAYS_OF_WEEKDAY), weekday),
    )


def _unknown(effect: Array, of_day: Array, is_known: Array, weekday: Array) -> Array:
    """The variance of the effects of weekdays that have too few days, each (S, K).

    A day from Monday to Friday may differ as much as the known ones of them do, beyond what their estimates vary by
    (method of moments). Weekends are another matter.
    """
    works = np.unique(weekday)[None, :] < _WORKING_DAYS
    known = is_known & works
    n = known.sum(1)
    error = np.where(known, 1 / np.maximum(of_day, 1e-300), 0.0).sum(1) / np.maximum(n, 1)
    square = np.where(known, effect**2, 0.0).sum(1) / np.maximum(n, 1)
    alike = np.maximum(square - error, 0.0) + error / np.maximum(n, 1)
    found = np.where(works & (n >= _FEWEST_ALIKE)[:, None], alike[:, None], np.inf)
    return np.where(is_known, 0.0, found)


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


def _residuals(y: Array, fitted: Array, within: Array, is_share: Array, certain: Array) -> Array:
    """Residuals in sampling standard deviations; for shares the signed root of the deviance, for rare events
    (McCullagh and Nelder 1989, 2.4.3), with the number of calls that `within` implies.

    `certain` is the log likelihood of a call with the share as observed, which is the same for every fit.
    """
    residuals = (y - fitted) / np.sqrt(within)
    share, expected = y[is_share], np.clip(fitted[is_share], 1e-9, 1 - 1e-9)
    half = certain - share * np.log(expected) - (1 - share) * np.log1p(-expected)
    n = expected * (1 - expected) / within[is_share]
    residuals[is_share] = np.sign(share - expected) * np.sqrt(2 * n * np.maximum(half, 0.0))
    return residuals


def _certain(y: Array) -> Array:
    likelihood: Array = xlogy(y, y) + xlogy(1 - y, 1 - y)
    return likelihood

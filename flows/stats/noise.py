"""Test a day of a series against its past, with p-values that are valid for logs.

Calls of a day are not independent (a user calls many times), and days are not exchangeable (weekends differ, levels
drift). The noise of a series therefore has three sources, estimated from the past as far as there is one:

- within a day: the variance of a mean between clusters (users, sessions), to which a cluster bootstrap converges (Field
  and Welsh 2007, JRSS B 69:369), expressed as a design effect (Kish 1965, section 8.2);
- between days: the overdispersion of past days around level and weekday, shrunk towards that of all series of the night
  (`flows.stats.shrinkage`);
- without past days: an assumed day-to-day variance and weekday effect, with few degrees of freedom.

Shapes: S series, D past days and the tested day, which is the last column of every array.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtr

from flows.stats.deviates import standardised
from flows.stats.levels import Levels, levels, masked_median
from flows.stats.shrinkage import squeeze

Array = np.ndarray[Any, np.dtype[Any]]

# Assumed effect of a weekday without past days, on the log odds (numbers: in standard deviations).
ASSUMED_WEEKDAY = 0.25
# The weight, in events, of the common design effect in that of one series.
_EVENTS_OF_ALL = 5.0
_ENOUGH_EVENTS = 5.0
# Variance up to which values count as constant, and relative difference up to which means do, because of rounding.
_NOTHING = 1e-12
_ROUNDED = 1e-9


@dataclass(frozen=True)
class Daily:
    """Sums of the days of S series, each (S, D + 1); a day without values has n = 0.

    `total` and `squares` are sums of the values and their squares (numbers: on the scale on which their mean is
    tested). With s and c a cluster's sum and count, `cluster_squares` sums s^2, `cluster_cross` s c, and
    `cluster_sizes` c^2.
    """

    n: Array
    n_clusters: Array
    total: Array
    squares: Array
    cluster_squares: Array
    cluster_cross: Array
    cluster_sizes: Array


@dataclass(frozen=True)
class DayTest:
    """The test of the last day of every series, each (S,); NaN without values on the day or in the past.

    `effect` is `observed` - `expected`, of numbers in standard deviations of a value within a day (Cohen's d with the
    mean of two variances, the past's and the day's).
    `error` is the standard error of `observed` - `expected` from all sources, and `freedom` its degrees of freedom.
    `n_effective` is the effective number of independent calls of the day, with day-to-day variance included; it is also
    known without a past. `n_days` counts the past days on which the series has values.
    """

    observed: Array
    expected: Array
    effect: Array
    error: Array
    freedom: Array
    p_value: Array
    n_effective: Array
    n_days: Array


def day_test(daily: Daily, weekday: Array, is_share: Array) -> DayTest:
    """Test the last day of every series against its past.

    `weekday` (D + 1,) are numbers 0 to 6. `is_share` (S,) marks shares of flags. A share is treated as a binomial with
    the effective number of calls, so that rare events are skewed like counts; other series as normal. Both use the
    quantiles of Student's t. A share that is constantly 0 or 1, and a number that never had a second value, the tested
    day included, get no p-value: they would only weaken the FDR control (Tarone 1990, Biometrics 46:515).
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return night_test(daily, past_of(daily, weekday, is_share), is_share)


def night_test(daily: Daily, past: "Past", is_share: Array) -> DayTest:
    """The same with a past that is known."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        tonight = np.full((len(daily.n), 1), daily.n.shape[1] - 1)
        y, here = daily.total[:, -1] / daily.n[:, -1], past.at(tonight, np.ones(tonight.shape), past.within[:, -1])
        z = standardised(y, here.expected, here.variance, is_share)
        p = np.minimum(2 * stdtr(past.freedom, -np.abs(z)), 1.0)
        worth_of_day = np.minimum(past.spread / here.of_nights, daily.n[:, -1])
    return tested(daily, past, here, is_share, y=y, p=p, worth=np.where(past.spread > 0, worth_of_day, np.nan))


def tested(
    daily: Daily, past: "Past", here: "Expected", is_share: Array, *, y: Array, p: Array, worth: Array
) -> DayTest:
    """The result, with NaN where there are no values to compare; `y`, `p` and `worth` (n_effective) are (S,)."""
    today, has_past = daily.n[:, -1] > 0, daily.n[:, :-1].sum(1) > 0
    known = today & has_past & ~_is_certain(daily, past.mean, is_share)
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = (y - here.expected) / _scale(daily, past.spread, is_share)
    return DayTest(
        observed=np.where(today, y, np.nan),
        expected=np.where(has_past, here.expected, np.nan),
        effect=np.where(known, effect, np.nan),
        error=np.where(known, np.sqrt(np.where(known, here.variance, 1.0)), np.nan),
        freedom=np.where(known, past.freedom, np.nan),
        p_value=np.where(known, p, np.nan),
        n_effective=np.where(today, worth, np.nan),
        n_days=(daily.n[:, :-1] > 0).sum(1),
    )


@dataclass(frozen=True)
class Expected:
    """What is expected of a mean of nights, each (S,): its value, the variance of what is observed less it, and
    `of_nights`, the part of this variance that is of the nights themselves.
    """

    expected: Array
    variance: Array
    of_nights: Array


@dataclass(frozen=True)
class Past:
    """What the past of S series lets expect, (S,) where nothing else is said.

    `mean` and `spread` are the mean and the variance of a value, `effects` the design effects, and `within` (S, D + 1)
    the sampling variances of the days' means. `wander` is the day-to-day variance in the unit of the series' mean, and
    `common` what it would be if the series was like all others. `is_frequent` is false for shares of rare events.
    """

    mean: Array
    spread: Array
    effects: Array
    within: Array
    units: Array
    level: Levels
    wander: Array
    common: Array
    freedom: Array
    is_frequent: Array

    @property
    def deviates(self) -> Array:
        """What the past nights differ from what is expected of them, in standard deviations, (S, D)."""
        nights = np.maximum(np.isfinite(self.level.residuals).sum(1), 1)
        freedom = np.clip(self.level.freedom, 1, nights)  # deviations from what was fitted to them are smaller
        deviations = np.sqrt((1 + self.wander[:, None] / self.within[:, :-1]) * (freedom / nights)[:, None])
        deviates: Array = self.level.residuals / deviations
        return deviates

    def at(self, places: Array, shares: Array, of_calls: Array, days: Any = 1.0, of_level: Any = 1.0) -> Expected:
        """What is expected of a mean of the nights `places` (S, k) with the weights `shares` (S, k).

        `of_calls` (S,) is its sampling variance, and `days` (S,) the variance of the mean of the nights' wanders in
        units of that of one.
        """
        by_weekday = self.level.by_weekday(places, shares)
        assumed = (ASSUMED_WEEKDAY**2 * self.units)[:, None]
        unseen = (by_weekday**2 * np.minimum(self.level.unknown, assumed)).sum(1)
        of_nights = of_calls + self.wander * days + unseen
        expected = (shares * np.take_along_axis(self.level.fitted, places, axis=1)).sum(1)
        return Expected(expected, of_nights + of_level * self.level.variance(by_weekday), of_nights)


def past_of(daily: Daily, weekday: Array, is_share: Array, *, shrinks: bool = True) -> Past:
    """Learn the past from all days but the last; whether it `shrinks` weekday effects is as for `levels`."""
    past = daily.n[:, :-1]
    y = daily.total / daily.n
    mean = _smooth_mean(daily, is_share)
    spread = np.where(is_share, mean * (1 - mean), _variance(daily, mean))
    effects = design_effects(daily, y, spread, is_share)
    within = (effects * spread)[:, None] / daily.n
    units = np.where(is_share, spread**2, spread)  # the variance of a day's mean for a day-to-day variance of 1
    floor = np.where(is_share, 0.5 / (past.sum(1) + 1), 0.0)
    level = levels(y[:, :-1], within[:, :-1], weekday, mean=mean, floor=floor, is_share=is_share, shrinks=shrinks)
    worth = units / masked_median(within[:, :-1], past > 0)
    reliable = ~is_share | (_rarer(daily) >= _ENOUGH_EVENTS * np.maximum((past > 0).sum(1), 1))
    varies = _has_varied(daily, y[:, :-1], mean, is_share)
    squeezed = squeeze(level.dispersion, level.freedom, worth, reliable, varies)
    wander, common = squeezed.wander * units, squeezed.common * units
    return Past(mean, spread, effects, within, units, level, wander, common, squeezed.freedom, reliable)


def _known(daily: Daily, values: Array) -> Array:
    """The sum over the past days, or the tested day's value if the series has no past."""
    has_past = daily.n[:, :-1].sum(1) > 0
    return np.where(has_past, values[:, :-1].sum(1), values[:, -1])


def _smooth_mean(daily: Daily, is_share: Array) -> Array:
    """The mean over the known days; for a share with half an event added, so that it is never 0 or 1."""
    n, total = _known(daily, daily.n), _known(daily, daily.total)
    return np.where(is_share, (total + 0.5) / (n + 1), total / n)


def _variance(daily: Daily, mean: Array) -> Array:
    """The variance of a value within days; `mean` is that of the past.

    It is the past's variance, with a lower bound for series that were constant until now: the first deviating value
    is treated as no rarer than the day's share of all calls. A day with k deviating values is then sqrt(k) times as far
    off as with one. If both past and day are constant, the step between them is the deviation.
    """
    means = np.where(daily.n > 0, daily.total / daily.n, 0.0)
    past = _variance_of_past(daily)
    n = daily.n[:, -1]
    of_day = _variance_of_day(daily)
    step = np.where((past < _NOTHING) & (of_day < _NOTHING) & (n > 0), (means[:, -1] - mean) ** 2, 0.0)
    one_odd = -ndtri(n / (n + daily.n[:, :-1].sum(1)) / 2)
    odd = (of_day + step) / np.maximum(np.nan_to_num(one_odd), 1.0) ** 2
    variance: Array = np.maximum(np.maximum(past, odd), _NOTHING)
    return variance


def _variance_of_past(daily: Daily) -> Array:
    """The variance of a value within the past days; within the tested day if there are none."""
    means = np.where(daily.n > 0, daily.total / daily.n, 0.0)
    variance: Array = _known(daily, daily.squares - daily.n * means**2) / np.maximum(_known(daily, daily.n), 1)
    return variance


def _rounding(mean: Array) -> Array:
    """The variance up to which values with this mean count as constant: sums of squares are rounded in their size."""
    rounding: Array = _NOTHING * np.maximum(1.0, mean**2)
    return rounding


def _variance_of_day(daily: Daily) -> Array:
    """The variance of the tested day's values; 0 if there are none."""
    n = np.maximum(daily.n[:, -1], 1)
    variance: Array = np.maximum(daily.squares[:, -1] / n - (daily.total[:, -1] / n) ** 2, 0.0)
    return variance


def _scale(daily: Daily, spread: Array, is_share: Array) -> Array:
    """The unit of an effect: 1 for shares; for numbers the root of the mean of the past's and the day's variance."""
    scale: Array = np.where(is_share, 1.0, np.sqrt((spread + _variance_of_day(daily)) / 2))
    return scale


def _rarer(daily: Daily) -> Array:
    """The count of the rarer of yes and no."""
    n, total = _known(daily, daily.n), _known(daily, daily.total)
    rarer: Array = np.minimum(total, n - total)
    return rarer


def _has_varied(daily: Daily, past: Array, mean: Array, is_share: Array) -> Array:
    """Whether a series differed beyond rounding in the past: between days, and, if it is a number, within them.

    `past` (S, D) are the means of the past days.
    """
    there = daily.n[:, :-1] > 0
    span = np.where(there, past, -np.inf).max(1, initial=-np.inf) - np.where(there, past, np.inf).min(1, initial=np.inf)
    between = span > _ROUNDED * np.abs(mean)
    varied: Array = between & (is_share | (_variance_of_past(daily) > _rounding(mean)))
    return varied


def _is_certain(daily: Daily, mean: Array, is_share: Array) -> Array:
    """Whether the values of all days, the tested one included, are one and the same."""
    n, total = daily.n.sum(1), daily.total.sum(1)
    known = np.maximum(n, np.finfo(float).tiny)  # of the series of a route that is not in use there are no values
    of_all = daily.squares.sum(1) / known - (total / known) ** 2
    certain: Array = np.where(is_share, (total <= 0) | (total >= n), of_all <= _rounding(mean))
    return certain


def design_effects(daily: Daily, y: Array, spread: Array, is_share: Array) -> Array:
    """The design effect: the variance of a day's mean relative to that of independent calls, (S,); at least 1.

    From the cluster sums of the past days (of the tested day if there are none). For a share with few events, or with
    unknown clusters (n_clusters = 0), it is mostly the common design effect of all shares.
    """
    n, clusters = daily.n, daily.n_clusters
    between = daily.cluster_squares - 2 * y * daily.cluster_cross + y**2 * daily.cluster_sizes
    between = np.where(clusters > 1, between * clusters / (clusters - 1), 0.0)
    independent = np.where(clusters > 1, daily.squares - n * y**2, 0.0)
    between, independent = np.nan_to_num(between), np.nan_to_num(independent)
    rare = _known(daily, independent) < _ENOUGH_EVENTS  # a series that is new today contributes its own clustering
    between, independent = (_known(daily, part) + np.where(rare, part[:, -1], 0) for part in (between, independent))
    # In units of one value's variance, so that numbers and shares can be summed; a share counts by its events. Users
    # who differ on the log odds scale make a cluster's share vary as p(1 - p): rare flags cluster little.
    unit = np.where(is_share, 1.0, np.maximum(spread, 1e-12))
    between, independent, leaning = between / unit, independent / unit, np.where(is_share, spread, 1.0)
    excess, base = ((part * is_share).sum() for part in (between - independent, independent * leaning))
    shared = 1 + leaning * max(0.0, float(excess / max(base, 1e-9)))
    weight = np.where(is_share, _EVENTS_OF_ALL, 1.0)
    return np.maximum((between + weight * shared) / (independent + weight), 1.0)

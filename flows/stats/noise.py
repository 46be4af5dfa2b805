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
from scipy.special import betainc, ndtri, stdtr

from flows.stats.levels import levels, masked_median
from flows.stats.shrinkage import squeeze

Array = np.ndarray[Any, np.dtype[Any]]

# Assumed effect of a weekday without past days, on the log odds (numbers: in standard deviations).
ASSUMED_WEEKDAY = 0.25
# The weight, in events, of the common design effect in that of one series.
_EVENTS_OF_ALL = 5.0
_ENOUGH_EVENTS = 5.0
_NOTHING = 1e-12  # variance up to which values count as constant, because of rounding


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
    quantiles of Student's t. A share that is constantly 0 or 1 gets no p-value: it would only weaken the FDR control
    (Tarone 1990, Biometrics 46:515).
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        past, today = daily.n[:, :-1], daily.n[:, -1]
        y = daily.total / daily.n
        mean = _smooth_mean(daily, is_share)
        spread = np.where(is_share, mean * (1 - mean), _variance(daily, mean))
        within = (design_effects(daily, y, spread, is_share) * spread)[:, None] / daily.n
        units = np.where(is_share, spread**2, spread)  # the variance of a day's mean for a day-to-day variance of 1
        floor = np.where(is_share, 0.5 / (past.sum(1) + 1), 0.0)
        level = levels(y[:, :-1], within[:, :-1], weekday, mean=mean, floor=floor, is_share=is_share)
        worth = units / masked_median(within[:, :-1], past > 0)
        reliable = ~is_share | (_rarer(daily) >= _ENOUGH_EVENTS * np.maximum((past > 0).sum(1), 1))
        squeezed = squeeze(level.dispersion, level.freedom, worth, reliable)
        unseen = np.where(level.knows_weekday, 0.0, ASSUMED_WEEKDAY**2) * units
        of_day = within[:, -1] + squeezed.wander * units
        variance = of_day + level.variance + unseen
        z = standardised(y[:, -1], level.expected, variance, is_share)
        p = np.minimum(2 * stdtr(squeezed.freedom, -np.abs(z)), 1.0)
        worth_of_day = np.minimum(spread / (of_day + unseen), today)
    known = (today > 0) & (past.sum(1) > 0) & ~_is_certain(daily, is_share)
    return DayTest(
        observed=np.where(today > 0, y[:, -1], np.nan),
        expected=np.where(past.sum(1) > 0, level.expected, np.nan),
        effect=np.where(known, (y[:, -1] - level.expected) / _scale(daily, spread, is_share), np.nan),
        error=np.where(known, np.sqrt(np.where(known, variance, 1.0)), np.nan),
        freedom=np.where(known, squeezed.freedom, np.nan),
        p_value=np.where(known, p, np.nan),
        n_effective=np.where((today > 0) & (spread > 0), worth_of_day, np.nan),
        n_days=(past > 0).sum(1),
    )


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
    past = _known(daily, daily.squares - daily.n * means**2) / np.maximum(_known(daily, daily.n), 1)
    n = daily.n[:, -1]
    of_day = _variance_of_day(daily)
    step = np.where((past < _NOTHING) & (of_day < _NOTHING) & (n > 0), (means[:, -1] - mean) ** 2, 0.0)
    one_odd = -ndtri(n / (n + daily.n[:, :-1].sum(1)) / 2)
    odd = (of_day + step) / np.maximum(np.nan_to_num(one_odd), 1.0) ** 2
    variance: Array = np.maximum(np.maximum(past, odd), _NOTHING)
    return variance


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


def _is_certain(daily: Daily, is_share: Array) -> Array:
    n, total = daily.n.sum(1), daily.total.sum(1)
    certain: Array = is_share & ((total <= 0) | (total >= n))
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


def standardised(y: Array, expected: Array, variance: Array, is_share: Array) -> Array:
    """`y` - `expected` in standard deviations, as the normal deviate of the same (mid-)probability."""
    n = expected * (1 - expected) / variance
    events = np.clip(y, 0, 1) * n
    above, below = _tails(events, n, expected), _tails(n - events, n, 1 - expected)
    binomial = np.where(above < below, -ndtri(above), ndtri(below))
    return np.where(is_share, binomial, (y - expected) / np.sqrt(variance))


def _tails(events: Array, n: Array, p: Array) -> Array:
    """The mid-p upper tail: P(more events) + P(equally many) / 2, for non-integer numbers of calls."""
    at_least = np.where(events > 0, betainc(np.maximum(events, 1e-300), np.maximum(n - events + 1, 1e-9), p), 1.0)
    more = np.where(n - events > 0, betainc(events + 1, np.maximum(n - events, 1e-300), p), 0.0)
    return np.clip((at_least + more) / 2, 1e-300, 1.0)

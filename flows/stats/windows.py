"""Test the last few nights of a series together, so that a small change that lasts is found.

The mean of k nights has a smaller sampling variance than that of one, in proportion to its calls. Levels that wander do
not average out as fast: nights that follow each other are alike. Their correlation is estimated from the past, as that
of an autoregressive process of order one, common to all series of the night and adapted to each.

What one odd night adds to a window is bounded (it is a breach of its own night), and a window counts only if its last
night agrees with it (a change that is over is not told again). A night alone and the windows that end with it share the
alpha of their series (Bonferroni's inequality, which holds whatever their dependence), so that a series remains one
hypothesis of the night.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from scipy.special import stdtr

from flows.stats.deviates import standardised
from flows.stats.levels import masked_median
from flows.stats.noise import Daily, DayTest, Past, night_test, past_of, tested

Array = np.ndarray[Any, np.dtype[Any]]

SHARES = {1: 0.5, 3: 0.1, 7: 0.4}
"""The numbers of nights with calls that are tested together, each with its share of the alpha of a series."""
LONGEST = max(SHARES)
_FEWEST_PAST = 18  # nights with calls before the longest window: five weeks of working days have as many
# A night counts as at most so many standard deviations off, and a last night that is so much nearer to the past than
# the nights before it does not agree with them.
_MOST_OF_A_NIGHT = 4.0
_AGREES = 2.5
# How many nights of a series its correlation must differ on to count as much as what all series have in common.
_NIGHTS_OF_ALL = 20.0
_MOST_CORRELATED = 0.95
_LEAST_OF_VARIANCE = 0.3
# Degrees of freedom from which a variance counts as known.
_KNOWN = 1000.0


@dataclass(frozen=True)
class Windows:
    """The tests of the last night alone and of the windows that end with it, by their number of nights.

    `deviates` (S, D) are those of the nights before the longest window, in standard deviations; NaN without a value.
    Where that window is not tested they are those of the nights before the last. `is_frequent` (S,) is as for `Past`.
    """

    of_nights: dict[int, DayTest]
    deviates: Array
    is_frequent: Array

    @property
    def p_values(self) -> dict[int, Array]:
        """By number of nights, (S,)."""
        return {nights: test.p_value for nights, test in self.of_nights.items()}

    def told(self, nights: Array) -> DayTest:
        """The results over `nights` (S,) of each series; `n_effective` and `n_days` are those of the night alone."""
        alone = self.of_nights[1]
        chosen = {}
        for name in ("observed", "expected", "effect", "error", "freedom", "p_value"):
            values = getattr(alone, name)
            for k, test in self.of_nights.items():
                values = np.where(nights == k, getattr(test, name), values)
            chosen[name] = values
        return replace(alone, **chosen)


def window_tests(daily: Daily, weekday: Array, is_share: Array, window_days: int) -> Windows:
    """Test the last night and the last 3 and 7 nights with calls of every series.

    The night is compared with the `window_days` before it, as by `flows.stats.noise.day_test`, a window with all days
    before the longest one; its values are means. It has no p-value without values on the last day, or with fewer than
    18 nights before it.
    """
    near = slice(-window_days - 1, None)
    deviates = np.full((len(daily.n), len(weekday) - 1), np.nan)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        alone = Daily(**{field.name: getattr(daily, field.name)[:, near] for field in fields(Daily)})
        past = past_of(alone, weekday[near], is_share)
        deviates[:, -window_days:] = past.deviates
        found = {1: night_test(alone, past, is_share)}
        counted = np.cumsum((daily.n > 0)[:, ::-1], axis=1)[:, ::-1]
        usable = np.flatnonzero((daily.n[:, -1] > 0) & (counted[:, 0] >= LONGEST + _FEWEST_PAST))
        if len(usable):
            cut = daily
            if len(usable) < len(daily.n):
                cut = Daily(**{field.name: getattr(daily, field.name)[usable] for field in fields(Daily)})
            is_recent = (cut.n > 0) & (counted[usable] <= LONGEST)
            before = past_of(_pooled(cut, is_recent), weekday, is_share[usable], shrinks=False)
            deviates[usable] = before.deviates
            places = np.flatnonzero(is_recent.ravel()).reshape(-1, LONGEST) % len(weekday)
            of_windows = _tests(cut, before, places, is_share[usable])
            found |= {nights: _spread(test, usable, len(daily.n)) for nights, test in of_windows.items()}
    return Windows(found, deviates, past.is_frequent)


def combined(p_values: Mapping[int, Array]) -> tuple[Array, Array]:
    """Of p-values (S,) by number of nights, the p-value of the series (S,) and the nights that give it (S,).

    It is the smallest, each divided by its share of the alpha; the night alone has the shares of windows without a
    p-value. NaN where the night alone has none.
    """
    nights = np.array(list(p_values))
    p = np.where(np.isnan(p_values[1]), np.nan, np.stack(list(p_values.values())))
    shares = np.array([[SHARES[k]] for k in nights]) * ~np.isnan(p)
    shares[nights == 1] = 1 - shares[nights > 1].sum(0)
    weighed = np.minimum(p / np.where(shares > 0, shares, np.nan), 1.0)
    least = np.where(np.isnan(weighed), np.inf, weighed).argmin(0)
    return weighed[least, np.arange(weighed.shape[1])], nights[least]


def _pooled(daily: Daily, is_recent: Array) -> Daily:
    """The days before the window, and as the last column the sums over the window."""

    def sums(values: Array) -> Array:
        before = np.where(is_recent, 0.0, values)
        before[:, -1] = np.where(is_recent, values, 0.0).sum(1)
        return before

    return Daily(**{field.name: sums(getattr(daily, field.name)) for field in fields(Daily)})


@dataclass(frozen=True)
class _Wander:
    """The day-to-day variance of series, as a window needs it, (S,) each.

    `error` is its standard error, `correlation` that of nights that follow each other, and `of_level` how much larger
    the variance of the level is because of this.
    """

    variance: Array
    error: Array
    correlation: Array
    of_level: Array


def _tests(daily: Daily, past: Past, places: Array, is_share: Array) -> dict[int, DayTest]:
    n, total = (np.take_along_axis(values, places, axis=1) for values in (daily.n, daily.total))
    fitted = np.take_along_axis(past.level.fitted, places, axis=1)
    wander, of_call = _wander(past), past.effects * past.spread
    past = replace(past, wander=wander.variance)
    deviation = np.sqrt(of_call[:, None] / n + wander.variance[:, None])
    # Of rare events one is more than so many standard deviations, and counts.
    one_event = np.where(is_share[:, None], past.effects[:, None] / n, 0.0)
    most = np.maximum(_MOST_OF_A_NIGHT * deviation, one_event)
    off = np.clip(total / n - fitted, -most, most)
    found = {}
    for nights in (k for k in SHARES if k > 1):
        at, weight = places[:, -nights:], n[:, -nights:]
        shares = weight / weight.sum(1, keepdims=True)
        days = _of_mean(shares, wander.correlation)
        here = past.at(at, shares, of_call / weight.sum(1), days, wander.of_level)
        observed = here.expected + (shares * off[:, -nights:]).sum(1)
        z = standardised(observed, here.expected, here.variance, is_share)
        # Satterthwaite's (1946) degrees of freedom of a variance of which one part is known and the other estimated.
        freedom = np.clip(2 * (here.variance / (days * wander.error)) ** 2, 1.0, _KNOWN)
        deviates = np.sign(observed - here.expected)[:, None] * (off / deviation)[:, -nights:]
        agrees = (deviates[:, -1] > 0) & (deviates[:, -1] >= deviates[:, :-1].mean(1) - _AGREES)
        p = np.where(agrees, np.minimum(2 * stdtr(freedom, -np.abs(z)), 1.0), 1.0)
        told = replace(past, freedom=freedom)
        found[nights] = tested(daily, told, here, is_share, y=observed, p=p, worth=np.full(len(p), np.nan))
    return found


def _wander(past: Past) -> _Wander:
    """The day-to-day variance, and the correlation of its nights.

    Where the noise of calls hides it, the variance of one series is that which all have in common: the estimates are
    averaged with the weights of their squared errors, of which that of the common one is its own size, because series
    differ by so much.
    """
    part = np.sqrt(past.wander[:, None] / (past.wander[:, None] + past.within[:, :-1]))
    nights = np.maximum(np.isfinite(past.level.residuals).sum(1), 4)
    correlation = _correlation(past, part, nights)
    of_level = _of_mean(np.ones((1, round(float(nights.mean())))) / nights.mean(), correlation)
    # Nights that are alike vary by less around their own level, or around those of weekdays, which are a week apart
    # (Bartlett 1946 has the degrees of freedom).
    lost = 1 / np.maximum(1 - np.where(past.level.kept > 0, correlation**7, of_level), _LEAST_OF_VARIANCE)
    freedom = past.freedom * (1 - correlation**2) / (1 + correlation**2)
    own, common = past.wander * lost, past.common * lost
    error = np.sqrt(2 / freedom) * (past.wander + masked_median(past.within[:, :-1], np.isfinite(part))) * lost
    of_series = np.maximum(own, common)
    trust = of_series**2 / np.maximum(of_series**2 + error**2, 1e-300)
    level = 1 + np.nansum(part**2, axis=1) / nights * (of_level * nights - 1)
    return _Wander(trust * own + (1 - trust) * common, error * np.sqrt(trust), correlation, level)


def _correlation(past: Past, part: Array, nights: Array) -> Array:
    """The correlation of the wander of nights that follow each other, (S,).

    `part` (S, D) is the wander's share of the standard deviation of a night; products of neighbours are compared with
    what they would be if correlated fully.
    """
    z = past.level.residuals * np.sqrt(1 - part**2)
    z = np.clip(z, -_MOST_OF_A_NIGHT, _MOST_OF_A_NIGHT)
    both = np.isfinite(z[:, 1:] * z[:, :-1])
    full = np.where(both, part[:, 1:] * part[:, :-1], 0.0)
    # Deviations from an estimated level are correlated by less (Marriott and Pope 1954, Biometrika 41:390), those from
    # the means of weekdays are not; both are smaller.
    bias = np.where(past.level.kept > 0, 0.0, 1 / nights)
    smaller = np.maximum(past.level.freedom, 1.0) / nights
    product = np.where(both, z[:, 1:] * z[:, :-1] + bias[:, None], 0.0)
    found, worth = (full * product).sum(1) / smaller, (full**2).sum(1)
    common = found.sum() / max(worth.sum(), 1e-9)
    correlation: Array = np.clip((found + _NIGHTS_OF_ALL * common) / (worth + _NIGHTS_OF_ALL), 0.0, _MOST_CORRELATED)
    return correlation


def _of_mean(shares: Array, correlation: Array) -> Array:
    """The variance of a weighted mean of nights, in that of one, (S,); `shares` (S, k) are in the order of nights."""
    variance: Array = (shares**2).sum(1)
    for lag in range(1, shares.shape[1]):
        variance = variance + 2 * correlation**lag * (shares[:, lag:] * shares[:, :-lag]).sum(1)
    return variance


def _spread(test: DayTest, places: Array, n: int) -> DayTest:
    """The same with NaN for the series that were not tested."""
    values = {}
    for field in fields(DayTest):
        values[field.name] = np.full(n, np.nan)
        values[field.name][places] = getattr(test, field.name)
    return DayTest(**values)

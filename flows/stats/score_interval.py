"""A score interval for the mean of paired differences, most of which may be 0. Vectorised over samples.

The method is Tango's (1998, Statistics in Medicine 17:891) for two rates on the same examples: a true difference is
tested with the variance that it would itself imply, so that events not yet seen still have an upper limit (Wald's
interval, also with Agresti and Min's pseudo examples, is too short there). Differences that are not whole steps of 1,
because repeats were averaged or scores are fractions, are replaced by steps of one size with the same sum and sum of
squares, in the manner of quasi-likelihood (McCullagh and Nelder 1989, chapter 9).

Steps are no model of differences that are mostly fractions: those have Student's interval, and differences of scores
also that of `flows/stats/bounded_mean.py`. The farthest end of all that apply is the interval's, and the largest
p-value is its p-value, so that the two agree.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from flows.stats import bounded_mean
from flows.stats.bisection import bisect

Array = np.ndarray[Any, np.dtype[Any]]

# The weight of a step of 1, the largest that a pass/fail answer can make, relative to the observed steps.
_WEIGHT_OF_UNSEEN = 0.25
_HALVINGS = 52
_DIGITS = 12  # means of repeats have rounding errors, which are no differences


@dataclass(frozen=True)
class Interval:
    """For each sample: both ends within [-1, 1], the two-sided p-value of a mean of 0, and the standard error."""

    low: Array
    high: Array
    p_value: Array
    error: Array


@dataclass(frozen=True)
class _Steps:
    """Differences as steps: `up` and `down` so many of `size` each, among `n` examples."""

    size: Array
    up: Array
    down: Array
    n: int

    def score(self, mean: Array) -> Array:
        """Tango's statistic for a true mean, in steps, from -1 to 1; falls as the mean rises.

        Its variance is that of a sample, n / (n - 1) times the plain one (Campbell 2007, Statistics in Medicine
        26:3661), so that four regressions of four examples are not yet significant.
        """
        n, up, down = self.n, self.up, self.down
        b = (2 * n - up + down) * mean - up - down
        likely_down = (np.sqrt(np.maximum(b * b + 8 * n * down * mean * (1 - mean), 0.0)) - b) / (4 * n)
        variance = np.maximum(2 * likely_down + mean * (1 - mean), 1e-12)
        score: Array = (up - down - n * mean) / np.sqrt(n * variance) * np.sqrt((n - 1) / n)
        return score

    def end(self, edge: float, quantile: float) -> Array:
        """The mean at which the statistic reaches `quantile`, between the sample's mean and `edge`, by bisection."""
        mean = (self.up - self.down) / self.n
        return self.size * bisect(
            mean, np.full_like(mean, edge), lambda middle: np.abs(self.score(middle)) <= quantile, _HALVINGS
        )


def interval(differences: Array, *, is_binary: bool, confidence: float = 0.95, reach: float = 1.0) -> Interval:
    """Intervals of the means of samples, `differences` (..., n) within `reach` of 0, with n > 1; the results are (...).

    `is_binary` means that single answers pass or fail: a step of 1 is then possible even if none was observed. Steps
    count unless scores that are not binary differ in most examples; Student's interval counts if most differences are
    not 0, or if scores are not binary.
    """
    n = differences.shape[-1]
    differences = np.round(differences, _DIGITS)
    quantile, wider = float(ndtri(0.5 + confidence / 2)), float(stdtrit(n - 1, 0.5 + confidence / 2))
    crowded = 2 * np.count_nonzero(differences, axis=-1) > n
    in_steps, in_t = ~crowded | is_binary, crowded | (not is_binary)
    steps = _steps(differences, reach, is_binary)
    mean, error = differences.mean(-1), differences.std(-1, ddof=1) / np.sqrt(n)
    low = np.where(in_steps, steps.end(-1.0, quantile), mean)
    high = np.where(in_steps, steps.end(1.0, quantile), mean)
    low = np.where(in_t, np.minimum(low, mean - wider * error), low)
    high = np.where(in_t, np.maximum(high, mean + wider * error), high)
    p_value = np.where(in_steps, 2 * ndtr(-np.abs(steps.score(np.zeros_like(mean)))), 0.0)
    # Without variation t is undefined: the mean is 0 or it is not.
    t = np.where(error > 0, mean / np.where(error > 0, error, 1.0), np.where(mean == 0, 0.0, np.inf))
    p_value = np.where(in_t, np.maximum(p_value, 2 * stdtr(n - 1, -np.abs(t))), p_value)
    if not is_binary:
        lowest, highest = bounded_mean.ends(differences, confidence, reach)
        low, high = np.minimum(low, lowest), np.maximum(high, highest)
        p_value = np.maximum(p_value, bounded_mean.p_value(differences, reach))
    return Interval(np.maximum(low, -reach), np.minimum(high, reach), p_value, (high - low) / (2 * quantile))


def _steps(differences: Array, reach: float, is_binary: bool) -> _Steps:
    sizes = np.abs(differences)
    largest = np.ones(sizes.shape[:-1]) if is_binary else sizes.max(-1)
    largest = np.where(largest > 0, largest, reach)
    weight = _WEIGHT_OF_UNSEEN
    size = ((differences**2).sum(-1) + weight * largest**2) / (sizes.sum(-1) + weight * largest)
    up, down = (np.maximum(sign * differences, 0).sum(-1) / size for sign in (1, -1))
    return _Steps(size, up, down, differences.shape[-1])

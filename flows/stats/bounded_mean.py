"""A likelihood interval for the mean of values that are known to lie in [-reach, reach]. Vectorised over samples.

A mean is tested by the likeliest distribution on that range that has it. It may hold values that the sample does not:
where all observed differences are small, one that is large may still be rare, and Student's interval misses it. The
statistic is the empirical likelihood ratio (Owen 2001, Empirical Likelihood) with mass allowed at the ends of the
range, n times K_inf of Honda and Takemura (2010, COLT, "An asymptotically optimal bandit algorithm for bounded support
models"). Its root is compared with Student's t, which is wider than the normal law where the sample is small.

Values are moved to [0, 1]. For the upper end, `tilt` is the one parameter of the likeliest distribution: it weighs a
value x in proportion to 1 / (1 - tilt x). Where a tilt of 1 does not reach the end, the rest of the mass is at 1.
"""

from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit

from flows.stats.bisection import bisect

Array = np.ndarray[Any, np.dtype[Any]]

_HALVINGS = 40
_AT_THE_EDGE = 1 - 1e-9


def ends(values: Array, confidence: float = 0.95, reach: float = 1.0) -> tuple[Array, Array]:
    """Both ends for samples of values, (..., n) from -reach to reach with n > 1; the results are (...)."""
    n = values.shape[-1]
    unlikely = stdtrit(n - 1, 0.5 + confidence / 2) ** 2 / 2
    inside = _to_unit(values, reach)
    return reach * (1 - 2 * _upper(1 - inside, unlikely)), reach * (2 * _upper(inside, unlikely) - 1)


def p_value(values: Array, reach: float = 1.0) -> Array:
    """The two-sided p-value of a mean of 0; agrees with `ends`: at most 0.05 if the 95 % interval excludes 0."""
    n = values.shape[-1]
    inside = _to_unit(values, reach)
    away = np.where(values.mean(-1, keepdims=True) > 0, 1 - inside, inside)  # its mean is at most a half
    p: Array = 2 * stdtr(n - 1, -np.sqrt(2 * np.maximum(_log_ratio_of_half(away), 0.0)))
    return p


def _to_unit(values: Array, reach: float) -> Array:
    inside: Array = np.clip((values / reach + 1) / 2, 0.0, 1.0)
    return inside


def _upper(x: Array, unlikely: float) -> Array:
    """The largest mean whose log likelihood ratio is at most `unlikely`; x is (..., n) in [0, 1]."""
    n = x.shape[-1]

    def is_likely(tilt: Array) -> Array:
        rest = 1 - tilt[..., None] * x
        likely: Array = n * np.log((1 / rest).mean(-1)) + np.log(rest).sum(-1) <= unlikely
        return likely

    with np.errstate(divide="ignore", invalid="ignore"):
        tilt = bisect(np.zeros(x.shape[:-1]), np.ones(x.shape[:-1]), is_likely, _HALVINGS)
        raised = (1 / (1 - tilt[..., None] * x)).mean(-1)
        inner = np.where(tilt > 0, (raised - 1) / (tilt * raised), x.mean(-1))
        with_mass_at_one = 1 - np.exp(np.log1p(-x).mean(-1) - unlikely / n)
    upper: Array = np.where(tilt > _AT_THE_EDGE, with_mass_at_one, inner)
    return upper


def _log_ratio_of_half(x: Array) -> Array:
    """The log likelihood ratio of a mean of 1/2, for samples with a mean of at most that: n K_inf(x, 1/2).

    It is the maximum over t from 0 to 2 of the sum of log(1 - t (x - 1/2)), which is concave.
    """
    away = x - 0.5
    low, high = np.zeros(x.shape[:-1]), np.full(x.shape[:-1], 2.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = bisect(low, high, lambda t: (-away / (1 - t[..., None] * away)).sum(-1) > 0, _HALVINGS)
        ratio: Array = np.log(1 - t[..., None] * away).sum(-1)
    return ratio

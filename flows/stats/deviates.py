"""Normal deviates: of numbers, and of shares as of the binomial counts that they are."""

from typing import Any

import numpy as np
from scipy.special import betainc, ndtri

Array = np.ndarray[Any, np.dtype[Any]]


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

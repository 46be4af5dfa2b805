"""Limits of a binomial proportion whose counts may be effective ones, and the effective number of weighted labels."""

from typing import Any

import numpy as np
from scipy.special import betainc, ndtri

from flows.stats.bisection import bisect

Array = np.ndarray[Any, np.dtype[Any]]
_HALVINGS = 30


def mid_p(hits: Array, n: Array, confidence: float = 0.95) -> tuple[Array, Array]:
    """The mid-P limits of `hits` of `n`, arrays of one shape that need not be whole, 0 <= hits <= n; 0 and 1 for n = 0.

    A limit is the proportion at which P(X > hits) + P(X = hits) / 2 reaches one tail (Lancaster 1961, JASA 56:223;
    Berry and Armitage 1995, The Statistician 44:417). The probabilities are incomplete beta functions, which extend to
    counts that are not whole as in Korn and Graubard (1998, Survey Methodology 24:193).
    """
    hits, n = np.broadcast_arrays(np.asarray(hits, dtype=float), np.asarray(n, dtype=float))
    pairs, place = np.unique(np.stack([hits.ravel(), n.ravel()]), axis=1, return_inverse=True)
    low, high = _mid_p(pairs[0], pairs[1], (1 - confidence) / 2)
    return low[place.ravel()].reshape(hits.shape), high[place.ravel()].reshape(hits.shape)


def _mid_p(hits: Array, n: Array, tail: float) -> tuple[Array, Array]:
    misses = np.maximum(n - hits, 0.0)

    def above(proportion: Array) -> Array:
        at_least = np.where(hits > 0, betainc(np.where(hits > 0, hits, 1.0), misses + 1, proportion), 1.0)
        more = np.where(misses > 0, betainc(hits + 1, np.where(misses > 0, misses, 1.0), proportion), 0.0)
        share: Array = (at_least + more) / 2
        return share

    none, all_ = np.zeros_like(n), np.ones_like(n)
    rate = hits / np.where(n > 0, n, 1.0)
    low = bisect(none, all_, lambda middle: above(middle) <= tail, _HALVINGS)
    high = bisect(all_, none, lambda middle: above(middle) >= 1 - tail, _HALVINGS)
    return np.where(n > 0, np.minimum(low, rate), 0.0), np.where(n > 0, np.maximum(high, rate), 1.0)


def wilson(hits: Array, n: Array, confidence: float = 0.95) -> tuple[Array, Array]:
    """Wilson's interval (1927, JASA 22:209) of `hits` of `n` > 0, which need not be whole."""
    z2 = float(ndtri(0.5 + confidence / 2)) ** 2
    rate = hits / n
    centre = (hits + z2 / 2) / (n + z2)
    half = np.sqrt(z2 * (rate * (1 - rate) * n + z2 / 4)) / (n + z2)
    return np.clip(np.minimum(centre - half, rate), 0.0, 1.0), np.clip(np.maximum(centre + half, rate), 0.0, 1.0)


def effective(total: Array, squares: Array) -> Array:
    """Kish's effective number (1965, Survey Sampling, 11.7) of weights with this sum and sum of squares; 0 for none."""
    found: Array = total**2 / np.where(squares > 0, squares, 1.0)
    return found

"""The number of calls as a series that can be tested like the means of others."""

import numpy as np

from flows.stats.noise import Array, Daily

# Days before the tested ones that are read: two weeks decide whether a route went silent.
DAYS_BEFORE = 14
# So many clusters that their variance needs no small-sample correction: it is given, not estimated.
_MANY = 1e6


def volumes(calls: Array, cluster_sizes: Array) -> Daily:
    """The logarithm of 1 + calls of R routes over D days, as sums with the variance of independent callers.

    `calls` (R, D) are counts and `cluster_sizes` (R, D) the sums of the squares of each caller's count. Callers who
    come independently give a count the variance of the latter, and its logarithm that over the square of the count.
    A day without calls is a missing value, because a route may be unused. It counts as 0 (the route went silent) if
    there were calls one and two weeks before and other routes have calls.
    """
    awake = calls > 0
    silent = ~awake & np.any(awake, axis=0, keepdims=True)
    for weeks in range(1, DAYS_BEFORE // 7 + 1):
        before = np.zeros_like(awake)
        before[:, 7 * weeks :] = awake[:, : max(awake.shape[1] - 7 * weeks, 0)]
        silent &= before
    worth = np.where(awake, calls**2 / np.maximum(cluster_sizes, 1.0), 0.0) + silent
    mean = np.log1p(calls)
    total, squares = worth * mean, worth * (mean**2 + 1)
    return Daily(worth, np.where(worth > 0, _MANY, 0.0), total, squares, squares, total, worth)

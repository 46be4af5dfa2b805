"""How many calls there are, as a series whose days can be judged like the means of others."""

import numpy as np

from flows.stats.noise import Array, Daily

# So many days before those that are judged are looked at: whether a route has fallen silent is told from two weeks.
DAYS_BEFORE = 14
# Clusters enough for their variance to need no correction: it is put in, and not estimated.
_MANY = 1e6


def volumes(calls: Array, cluster_sizes: Array) -> Daily:
    """The logarithm of 1 + calls of R routes over D days, as sums whose variance is that of callers who come and go.

    `calls` (R, D) are counts and `cluster_sizes` (R, D) the sums of the squares of each caller's count. Callers who
    come independently give a count the variance of the latter, and its logarithm that over the square of the count.
    A day without calls is no value, for a route may sleep, unless there were calls a week and two weeks before and
    other routes have some: then it is 0, for the route has fallen silent.
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

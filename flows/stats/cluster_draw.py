"""A draw of a fixed size with known, unequal probabilities, in which no two drawn units are of one cluster.

Systematic sampling with unequal probabilities (Madow 1949, "On the theory of systematic sampling II"): the units lie
on a line, each as long as its inclusion probability, and every unit is drawn that one of the points u, u + 1, u + 2 ...
meets. The units of one cluster lie side by side and are together at most 1 long: so at most one of them is drawn, and
every unit still has exactly its own probability, over a uniform u. Clusters lie in a random order, which is given.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-9  # more than sums of probabilities can be off


@dataclass(frozen=True)
class Drawn:
    """The places of the drawn units, in ascending order, and the inclusion probability of each."""

    places: NDArray[np.int64]
    probabilities: NDArray[np.float64]


def draw(
    weights: NDArray[np.float64],
    clusters: NDArray[np.uint64],
    groups: NDArray[np.int64],
    *,
    size: int,
    start: float,
) -> Drawn:
    """Draw `size` units, or one of each cluster where there are fewer clusters.

    A unit's probability is its weight (above 0) times a common factor. Where the units of a cluster would come to more
    than 1, they are brought down to 1 together, and the factor makes up for it. Clusters are ordered by the first of
    their units' `groups`, so that the draw is spread evenly over groups, and within a group by `clusters`, numbers that
    have to be random; units within a cluster as they come. `start` is uniform in [0, 1). Arrays have the shape (n,).
    """
    if not len(weights) or size < 1:
        return Drawn(np.empty(0, np.int64), np.empty(0))
    _, cluster = np.unique(clusters, return_inverse=True)
    of_cluster: NDArray[np.float64] = np.bincount(cluster, weights).astype(np.float64)
    size = min(size, len(of_cluster))
    factor = factors(of_cluster, size)
    probabilities = weights * factor[cluster]
    first = np.full(len(of_cluster), np.iinfo(np.int64).max)
    np.minimum.at(first, cluster, groups)
    first[of_cluster * factor > 1 - _ROUNDING] = -1  # certain: they end at whole numbers, which no point is near
    order = np.lexsort((cluster, first[cluster]))
    ends = np.cumsum(probabilities[order])
    points = np.clip(start, _ROUNDING, 1 - _ROUNDING) + np.arange(size)
    met = np.searchsorted(ends * (size / ends[-1]), points, side="right")
    places = np.sort(order[met])
    return Drawn(places, probabilities[places])


def factors(weights: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """For clusters of these weights, what to multiply each with, so that they add up to `size` and none is above 1.

    It is one number for all, and 1 / weight for those that would be above 1.
    """
    alone: NDArray[np.float64] = 1.0 / weights
    if size >= len(weights):
        return alone
    falling = np.sort(weights)[::-1]
    rest = np.cumsum(falling[::-1])[::-1]  # of this cluster and all that weigh less
    factor = (size - np.arange(size)) / rest[:size]  # where so many of the heaviest are certain
    common: NDArray[np.float64] = factor[factor * falling[:size] <= 1.0][:1]
    return np.minimum(common, alone)

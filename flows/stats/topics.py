"""Clusters of vectors: found, kept, and found again later so that most clusters are still the same ones."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from flows.stats.neighbours import projected, unit

# The numbers of topics that are tried; more than forty are not readable.
COUNTS = (2, 3, 4, 6, 8, 11, 15, 20, 28, 40)
_FEWEST_TEXTS = 10  # in a topic, on average
_SMALLEST = 5  # texts of a topic
# Groups with at least this silhouette are really apart, and their number can be read from it. Below it, topics shade
# into each other (papers of one field), two halves score best, and the number of texts decides.
_CLEAR = 0.5
_TEXTS_PER_TOPIC = 20
_RADIUS_QUANTILE = 0.99
_SAMPLE = 6000
# Clusters that start from earlier ones are taken if their squared distances are at most this much worse.
_WORSE = 1.02
# Two clusters are the same topic where a third of the texts of both together are in both.
_SAME = 1 / 3


@dataclass(frozen=True)
class Topics:
    """Centres (k, d) of length 1 in the space of the vectors, radii (k,) in cosine distance, and the members' places.

    `places` (n,) is the topic of each vector that the topics were found in, by the nearest centre.
    """

    centres: np.ndarray
    radii: np.ndarray
    places: np.ndarray


@dataclass(frozen=True)
class _Clusters:
    """Labels (n,), and centres (k, d) of the points, with the sum of squared distances to them."""

    labels: np.ndarray
    centres: np.ndarray
    squares: float


def find(vectors: np.ndarray, seed: int, start: np.ndarray | None = None) -> Topics:
    """Spherical k-means (Dhillon and Modha 2001, Machine Learning 42:143).

    vectors: (n, d) of length 1. Where groups are clearly apart, k is that of the best simplified silhouette (Hruschka
    et al. 2004), by distances to centres and not to all members; of what lies within 0.01 of the best the smallest k
    is taken. Otherwise k is the largest of COUNTS with 20 texts a topic. k is chosen, and clusters are found, on the
    main components; at most 6,000 vectors, drawn at random, are looked at, and all are then assigned.

    start: (j, d), the centres of topics that were found earlier. Clusters then begin from these, so that topics that
    are still there keep their shape, unless clusters from scratch fit the vectors better.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(vectors))[:_SAMPLE]
    points = projected(vectors[order])
    clusters = _chosen(points, seed)
    if start is not None and len(start):
        places, _ = assign(vectors[order], start)
        again = _started(points, places, clusters, seed)
        clusters = again if again.squares <= _WORSE * clusters.squares else clusters
    means = [vectors[order][clusters.labels == label].mean(axis=0) for label in np.unique(clusters.labels)]
    centres = unit(np.array(means))
    places, _ = assign(vectors, centres)
    is_kept = np.bincount(places, minlength=len(centres)) >= min(_SMALLEST, len(vectors))
    if is_kept.any() and not is_kept.all():
        centres = centres[is_kept]
        places, _ = assign(vectors, centres)
    return Topics(centres, np.array([radius(vectors[places == label]) for label in range(len(centres))]), places)


def assign(vectors: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The place of the nearest centre of each vector (n,), and the cosine distance to it, 0 to 2."""
    similar = vectors @ centres.T
    places = similar.argmax(axis=1)
    return places, (1 - similar[np.arange(len(vectors)), places]).clip(0, 2).astype(float)


def matched(places: np.ndarray, earlier: np.ndarray) -> dict[int, int]:
    """For each cluster of `places` (n,) that is one of those of `earlier` (n,) again: which one.

    Pairs have the largest sum of overlaps (members of both over members of either; Hungarian method, Kuhn 1955). A
    pair with less than a third in common is no match. Every cluster is in one pair at most.
    """
    if not len(places):
        return {}
    both = np.zeros((places.max() + 1, earlier.max() + 1))
    np.add.at(both, (places, earlier), 1)
    either = both.sum(axis=1)[:, None] + both.sum(axis=0) - both
    overlap = both / np.maximum(either, 1)
    pairs = zip(*linear_sum_assignment(-overlap), strict=True)
    return {int(new): int(old) for new, old in pairs if overlap[new, old] >= _SAME}


def radius(members: np.ndarray) -> float:
    """How far from its centre a text of a topic may lie: the 99th percentile of the members' cosine distances.

    Each member's distance is to the centre of the others, for one that is in the mean lies too near to it. 0 where
    there is one member, or none.
    """
    if len(members) < 2:
        return 0.0
    others = unit(members.sum(axis=0)[None, :] - members)
    return float(np.quantile(1 - (others * members).sum(axis=1), _RADIUS_QUANTILE).clip(0, 2))


def _chosen(points: np.ndarray, seed: int) -> _Clusters:
    """The clusters whose number suits the points."""
    tried = [count for count in COUNTS if count * _FEWEST_TEXTS <= len(points)]
    if not tried:
        return _Clusters(np.zeros(len(points), int), points.mean(axis=0)[None, :], np.inf)
    found = [_clustered(points, count, seed) for count in tried]
    scores = [_silhouette(points, unit(clusters.centres)) for clusters in found]
    best = max(scores)
    if best >= _CLEAR:
        return next(clusters for clusters, score in zip(found, scores, strict=True) if score >= best - 0.01)
    enough = [place for place, count in enumerate(tried) if count * _TEXTS_PER_TOPIC <= len(points)]
    return found[enough[-1] if enough else 0]


def _started(points: np.ndarray, places: np.ndarray, fresh: _Clusters, seed: int) -> _Clusters:
    """As many clusters as `fresh` has, from the means of the earlier topics (the largest) and what is far from them."""
    count = len(fresh.centres)
    known, sizes = np.unique(places, return_counts=True)
    largest = np.sort(known[np.argsort(-sizes, kind="stable")[:count]])
    means = [points[places == place].mean(axis=0) for place in largest]
    while len(means) < count:
        nearest = (unit(fresh.centres) @ unit(np.array(means)).T).max(axis=1)
        means.append(fresh.centres[int(nearest.argmin())])
    return _clustered(points, count, seed, np.array(means))


def _clustered(points: np.ndarray, count: int, seed: int, start: np.ndarray | None = None) -> _Clusters:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct texts than topics are asked for
        begun = KMeans(count, n_init=3, random_state=seed) if start is None else KMeans(count, init=start, n_init=1)
        fitted = begun.fit(points)
    return _Clusters(fitted.labels_, fitted.cluster_centers_, float(fitted.inertia_))


def _silhouette(points: np.ndarray, centres: np.ndarray) -> float:
    """The mean of (second nearest - nearest) / second nearest, in cosine distance to the centres."""
    distances = np.sort(1 - points @ centres.T, axis=1)[:, :2]
    return float(((distances[:, 1] - distances[:, 0]) / np.maximum(distances[:, 1], 1e-12)).mean())

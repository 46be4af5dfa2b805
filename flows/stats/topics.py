"""Clusters of vectors: found once and then kept, so that days can be described by their shares of them."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from flows.stats.neighbours import projected, unit

# The numbers of topics that are tried; more than forty are not readable.
COUNTS = (2, 3, 4, 6, 8, 11, 15, 20, 28, 40)
_FEWEST_TEXTS = 10  # in a topic, on average
_RADIUS_QUANTILE = 0.99
_SAMPLE = 6000


@dataclass(frozen=True)
class Topics:
    """Centres (k, d) of length 1 in the space of the vectors, radii (k,) in cosine distance, and the members' places.

    `places` (n,) is the topic of each vector that the topics were found in, by the nearest centre.
    """

    centres: np.ndarray
    radii: np.ndarray
    places: np.ndarray


def find(vectors: np.ndarray, seed: int) -> Topics:
    """Spherical k-means (Dhillon and Modha 2001, Machine Learning 42:143) with the k of the best silhouette.

    vectors: (n, d) of length 1. The silhouette is the simplified one (Hruschka et al. 2004), by distances to centres
    and not to all members; of what lies within 0.01 of the best the smallest k is taken. k is chosen, and clusters are
    found, on the main components; at most 6,000 vectors, drawn at random, are looked at, and all are then assigned.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(vectors))[:_SAMPLE]
    points = projected(vectors[order])
    tried = [count for count in COUNTS if count * _FEWEST_TEXTS <= len(points)] or [1]
    fits = [(count, *_clustered(points, count, seed)) for count in tried]
    best = max(score for *_, score in fits)
    labels = next(labels for _, labels, score in fits if score >= best - 0.01)
    means = [vectors[order][labels == label].mean(axis=0) for label in np.unique(labels)]
    centres = unit(np.array(means))
    places, _ = assign(vectors, centres)
    return Topics(centres, np.array([radius(vectors[places == label]) for label in range(len(centres))]), places)


def assign(vectors: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The place of the nearest centre of each vector (n,), and the cosine distance to it, 0 to 2."""
    similar = vectors @ centres.T
    places = similar.argmax(axis=1)
    return places, (1 - similar[np.arange(len(vectors)), places]).clip(0, 2).astype(float)


def radius(members: np.ndarray) -> float:
    """How far from its centre a text of a topic may lie: the 99th percentile of the members' cosine distances.

    Each member's distance is to the centre of the others, for one that is in the mean lies too near to it. 0 where
    there is one member, or none.
    """
    if len(members) < 2:
        return 0.0
    others = unit(members.sum(axis=0)[None, :] - members)
    return float(np.quantile(1 - (others * members).sum(axis=1), _RADIUS_QUANTILE).clip(0, 2))


def _clustered(points: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, float]:
    if count == 1:
        return np.zeros(len(points), int), 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct texts than topics are asked for
        fitted = KMeans(count, n_init=3, random_state=seed).fit(points)
    labels: np.ndarray = fitted.labels_
    return labels, _silhouette(points, unit(fitted.cluster_centers_))


def _silhouette(points: np.ndarray, centres: np.ndarray) -> float:
    """The mean of (second nearest - nearest) / second nearest, in cosine distance to the centres."""
    distances = np.sort(1 - points @ centres.T, axis=1)[:, :2]
    return float(((distances[:, 1] - distances[:, 0]) / np.maximum(distances[:, 1], 1e-12)).mean())

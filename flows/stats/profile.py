"""Whether all features of a route's outputs together are like their past: does the same model answer?

Many features that each move a little are found together earlier than each alone. The statistic is the squared distance
of Mahalanobis from what was expected, of normal deviates. The covariance is that of the past nights, shrunk towards
independence (Ledoit and Wolf 2004, J. Multivariate Analysis 88:365), because features outnumber nights. Past nights,
each compared with the others, say how large the distance is when nothing happens.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import fdtrc, ndtri

from flows.stats.windows import Windows, combined

Array = np.ndarray[Any, np.dtype[Any]]
Key = tuple[str, str, str]

_SIDE = "output"
_OF_FIELDS = ("field_length:", "field_number:", "field_size:")
_FEWEST_FEATURES = 3
_FEWEST_NIGHTS = 18
_MOST_OF_THE_PAST = 4.0  # standard deviations
_AGREES = 0.5
_LEAST_SHRINKAGE = 0.1
_NOTHING = 1e-12
_NAMED = 3


@dataclass(frozen=True)
class Profile:
    """The test of a route's outputs: `distance` is in units of what is usual, `moved` has the features that moved most.

    They are those of the last `nights` with calls, `moved` with the words up or down.
    """

    route: str
    p_value: float
    nights: int
    distance: float
    moved: tuple[str, ...]


def profiles(keys: Sequence[Key], found: Windows) -> Iterator[Profile]:
    """The test of every route's outputs, from the tests of its series; of members of mixes and of rare events none.

    `keys` are route, side and feature of the first series of `found`.
    """
    deviates = {k: _deviates(test.p_value, test.observed - test.expected) for k, test in found.of_nights.items()}
    routes: dict[str, list[int]] = {}
    for place, (route, side, feature) in enumerate(keys):
        if side == _SIDE and _is_measured(feature) and found.is_frequent[place] and np.isfinite(deviates[1][place]):
            routes.setdefault(route, []).append(place)
    for route, places in routes.items():
        of_route = {k: np.nan_to_num(z[places]) for k, z in deviates.items()}
        tested = profile_tests(of_route, found.deviates[places])
        if not tested:
            continue
        p, nights = combined({k: np.array([p]) for k, (p, _) in tested.items()})
        seen = int(nights[0])
        most = np.argsort(-np.abs(of_route[seen]), kind="stable")[:_NAMED]
        moved = tuple(f"{keys[places[n]][2]} {'up' if of_route[seen][n] > 0 else 'down'}" for n in most)
        yield Profile(route, float(p[0]), seen, tested[seen][1], moved)


def _is_measured(feature: str) -> bool:
    """Whether a feature is measured on every output, or on every one that has a field; members of mixes are not."""
    return ":" not in feature or feature.startswith(_OF_FIELDS)


def _deviates(p: Array, off: Array) -> Array:
    """The normal deviates of two-sided p-values, with the sign of what they are of."""
    deviates: Array = np.sign(off) * -ndtri(np.maximum(p, 1e-300) / 2)
    return deviates


def profile_tests(deviates: Mapping[int, Array], past: Array) -> dict[int, tuple[float, float]]:
    """p-values and distances of the deviates of a route's features, by the nights that they were seen over.

    `deviates` has for each number of nights those of the last ones (p,), `past` (p, D) those of the past nights, NaN
    without a value. A window of several nights counts if the last night deviates in the same direction, at least by
    half of what it would if the change lasts. Nothing with fewer than 3 features or 18 nights.
    """
    nights = past[:, np.isfinite(past).any(0)].T
    n = len(nights)
    if n < _FEWEST_NIGHTS or len(past) < _FEWEST_FEATURES:
        return {}
    usual = _Usual(np.clip(np.nan_to_num(nights), -_MOST_OF_THE_PAST, _MOST_OF_THE_PAST))
    found = {}
    for k, z in deviates.items():
        distance = usual.product(z, z)
        agrees = usual.product(deviates[1], z) >= _AGREES * distance / np.sqrt(k)
        p = float(fdtrc(usual.freedom, usual.freedom * n, distance / usual.distance)) if agrees else 1.0
        found[k] = p, distance / usual.distance
    return found


class _Usual:
    """The shrunk covariance of nights (n, p), and how far from zero nights are by the covariance of the others.

    All is computed from the inner products of nights, of which there are fewer than features. `distance` is the mean
    of the squared distances, and `freedom` that of the sum of squares that such a distance is, by matching moments
    (Satterthwaite 1946), or fewer if the distances vary by more.
    """

    def __init__(self, nights: Array) -> None:
        n, p = nights.shape
        moments, vectors = np.linalg.eigh(nights @ nights.T / n)
        kept = moments > _NOTHING * max(float(moments[-1]), _NOTHING)
        self._moments, vectors = moments[kept], vectors[:, kept]
        self._axes = nights.T @ vectors / np.sqrt(n * self._moments)
        size = max(float(self._moments.sum()) / p, _NOTHING)
        squares = float((self._moments**2).sum())
        noise = (float(((nights**2).sum(1) ** 2).sum()) / n - squares) / n
        # Never no shrinkage: features that count the same thing have no noise of their own.
        shrinkage = float(np.clip(noise / max(squares - p * size**2, _NOTHING), _LEAST_SHRINKAGE, 1.0))
        self._rest = shrinkage * size
        self._variances = (1 - shrinkage) * self._moments + self._rest
        weights = self._moments / self._variances
        # Each night without itself, by the formula of Sherman and Morrison.
        part = (1 - shrinkage) / (n - 1)
        of_all = (n * self._moments / (part * n * self._moments + self._rest) * vectors**2).sum(1)
        distances = of_all / np.maximum(1 - part * of_all, _NOTHING)
        self.distance = max(float(distances.mean()), _NOTHING)
        by_weights = float(weights.sum()) ** 2 / max(float((weights**2).sum()), _NOTHING)
        self.freedom = min(by_weights, 2 * self.distance**2 / max(float(distances.var(ddof=1)), _NOTHING))

    def product(self, one: Array, other: Array) -> float:
        """The product of two vectors (p,) in the metric of Mahalanobis."""
        along = (one @ self._axes) * (other @ self._axes)
        return float((one @ other - along.sum()) / self._rest + (along / self._variances).sum())

"""A world's calls as the daily sums that dbt makes of logs, and the comparison of a day with its past."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from flows.stats.noise import Daily
from tests.bench.detection.world import ROUTES, TOPICS, World


@dataclass(frozen=True)
class Key:
    """One series."""

    route: int
    side: str
    feature: str
    is_share: bool


def series(world: World) -> tuple[list[Key], Daily]:
    """Every series of a world, and its sums by day, (S, n_days)."""
    keys = [
        Key(route, side, name, is_share)
        for (side, name), _, is_share in _values(world, slice(None))
        for route in range(len(ROUTES))
    ]
    return keys, _sums(world, np.arange(len(world.day)), world.day, world.n_days)


def with_day(world: World, daily: Daily, day: int) -> Daily:
    """The same sums, those of `day` (the last that counts) computed again from the world's calls."""
    calls = np.flatnonzero(world.day == day)
    anew = _sums(world, calls, np.zeros(len(calls), int), 1)
    return Daily(**{f.name: np.hstack([getattr(daily, f.name)[:, :day], getattr(anew, f.name)]) for f in fields(Daily)})


def upto(daily: Daily, day: int, window: int) -> Daily:
    """`day` and the days of the window before it."""
    return Daily(**{f.name: getattr(daily, f.name)[:, max(0, day - window) : day + 1] for f in fields(Daily)})


def _values(world: World, calls: np.ndarray | slice) -> Iterator[tuple[tuple[str, str], np.ndarray, bool]]:
    for key, flags in world.flags.items():
        yield key, flags[calls].astype(float), True
    for key, numbers in world.numbers.items():
        yield key, numbers[calls], False
    for topic in range(TOPICS):
        yield ("input", f"topic:{topic}"), (world.topic[calls] == topic).astype(float), True


def _sums(world: World, calls: np.ndarray, day: np.ndarray, n_days: int) -> Daily:
    clusters = _clusters(day, world.route[calls], world.user[calls], n_days)
    parts = [clusters.sums(value) for _, value, _ in _values(world, calls)]
    return Daily(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Daily)})


@dataclass
class _Clusters:
    cluster: np.ndarray  # of each call
    group: np.ndarray  # of each cluster
    size: np.ndarray
    shape: tuple[int, int]

    def sums(self, value: np.ndarray) -> Daily:
        of_cluster = np.bincount(self.cluster, value, len(self.size))
        return Daily(
            n=self._by_group(self.size),
            n_clusters=self._by_group(np.ones(len(self.size))),
            total=self._by_group(of_cluster),
            squares=self._by_group(np.bincount(self.cluster, value**2, len(self.size))),
            cluster_squares=self._by_group(of_cluster**2),
            cluster_cross=self._by_group(of_cluster * self.size),
            cluster_sizes=self._by_group(self.size**2),
        )

    def _by_group(self, value: np.ndarray) -> np.ndarray:
        return np.bincount(self.group, value, self.shape[0] * self.shape[1]).reshape(self.shape)


def _clusters(day: np.ndarray, route: np.ndarray, user: np.ndarray, n_days: int) -> _Clusters:
    code = (route * n_days + day).astype(np.int64) * (int(user.max()) + 1) + user
    unique, cluster = np.unique(code, return_inverse=True)
    size = np.bincount(cluster).astype(float)
    return _Clusters(cluster, unique // (int(user.max()) + 1), size, (len(ROUTES), n_days))

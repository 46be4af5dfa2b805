"""A world's calls as the daily sums that dbt makes of logs, and the comparison of a day with its past."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from flows.stats.noise import Daily
from flows.stats.volume import volumes
from tests.bench.detection.world import ROUTES, TOPICS, World

PROFILE, CALLS = "output_profile", "calls"


@dataclass(frozen=True)
class Key:
    """One series."""

    route: int
    side: str
    feature: str
    is_share: bool


def series(world: World) -> tuple[list[Key], Daily]:
    """Every series of a world, and its sums by day, (S, n_days); last, without sums, the joint test of each route."""
    keys = [
        Key(route, side, name, is_share)
        for (side, name), _, is_share in _values(world, slice(None))
        for route in range(len(ROUTES))
    ]
    daily = _sums(world, np.arange(len(world.day)), world.day, world.n_days)
    if world.setting.counts_calls:
        keys += [Key(route, "pair", CALLS, False) for route in range(len(ROUTES))]
        daily = _with_volumes(daily)
    return keys + [Key(route, "output", PROFILE, False) for route in range(len(ROUTES))], daily


def _with_volumes(daily: Daily) -> Daily:
    """The sums, and those of the numbers of calls; the first series are of one feature on each route."""
    volume = volumes(daily.n[: len(ROUTES)], daily.cluster_sizes[: len(ROUTES)])
    return Daily(**{f.name: np.vstack([getattr(daily, f.name), getattr(volume, f.name)]) for f in fields(Daily)})


def with_days(world: World, daily: Daily, days: range) -> Daily:
    """The same sums, those of `days` (the last that count) computed again from the world's calls."""
    calls = np.flatnonzero(np.isin(world.day, days))
    anew = _sums(world, calls, world.day[calls] - days[0], len(days))
    both = {
        f.name: np.hstack([getattr(daily, f.name)[: len(anew.n), : days[0]], getattr(anew, f.name)])
        for f in fields(Daily)
    }
    return _with_volumes(Daily(**both)) if world.setting.counts_calls else Daily(**both)


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

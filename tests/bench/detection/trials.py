"""Quiet months, and nights on which one thing happened: what genchi says of them, and what an oracle could."""

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from tests.bench.detection.injections import KINDS, ROUTE, SIZES, inject
from tests.bench.detection.night import thresholds, verdicts
from tests.bench.detection.oracle import Oracle
from tests.bench.detection.sums import series, with_day
from tests.bench.detection.world import simulate

NIGHTS, INJECTED = 60, 44  # night 45, counted from 0
PROCESSES = 2
Result = TypeVar("Result")


@dataclass(frozen=True)
class Quiet:
    """A world in which nothing happened: of every night the smallest q of a large change, and the new breaches."""

    smallest_q: list[float]
    alerts: list[int]
    n_series: int


@dataclass(frozen=True)
class Injected:
    """A world with one change at a time, (kind, size): genchi's smallest q on the route, and the oracle's deviate."""

    smallest_q: dict[str, list[float]]
    oracle_z: dict[str, list[float]]


def quiet(seed: int) -> Quiet:
    """Sixty nights. A breach is new where none of the days of the run of open days that it belongs to had one."""
    world = simulate(seed, NIGHTS)
    keys, daily = series(world)
    max_q = thresholds()["max_q_value"]
    smallest, alerts, n = [], [], 0
    ongoing = np.zeros(len(keys), bool)
    for day in range(1, NIGHTS):
        night = verdicts(keys, daily, world, day)
        smallest.append(_smallest(night.q_value, night.is_large))
        breaches = night.breaches(max_q)
        alerts.append(int((breaches & ~ongoing).sum()))
        ongoing = (ongoing & night.is_open) | breaches
        n = max(n, int(np.isfinite(night.q_value).sum()))
    return Quiet(smallest, alerts, n)


def injected(seed: int) -> Injected:
    """Night 45 of one world, again and again, each time with one kind of change at one size."""
    world = simulate(seed, INJECTED + 1)
    keys, daily = series(world)
    on_route = np.array([key.route == ROUTE for key in keys])
    oracle = Oracle(world, INJECTED, seed)
    q: dict[str, list[float]] = {}
    z: dict[str, list[float]] = {}
    for kind, injection in KINDS.items():
        place = next(n for n, k in enumerate(keys) if k.route == ROUTE and (k.side, k.feature) == injection.series)
        q[kind], values = [], []
        for size in SIZES:
            changed = inject(world, injection, INJECTED, size, seed)
            sums = with_day(changed, daily, INJECTED)
            night = verdicts(keys, sums, changed, INJECTED)
            q[kind].append(_smallest(night.q_value, night.is_large & on_route))
            values.append(sums.total[place, -1] / sums.n[place, -1])
        z[kind] = [float(value) for value in oracle.deviates(injection, np.array(values))]
    return Injected(q, z)


def _smallest(q: np.ndarray, among: np.ndarray) -> float:
    chosen = q[among & np.isfinite(q)]
    return float(chosen.min()) if len(chosen) else 1.0


def over(work: Callable[[int], Result], seeds: Iterable[int]) -> list[Result]:
    """The same work on every seed, on two processors."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        return list(pool.map(work, seeds))

"""Quiet months, and nights on which one thing happened: what genchi says of them, and what an oracle could."""

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from flows.config.threshold_table import thresholds
from tests.bench.detection.injections import KINDS, ROUTE, SIZES, inject
from tests.bench.detection.night import RISK, WINDOW, verdicts
from tests.bench.detection.oracle import Oracle
from tests.bench.detection.sums import series, with_days
from tests.bench.detection.world import simulate

NIGHTS, INJECTED = 60, 44  # night 45, counted from 0
NIGHT = range(INJECTED, INJECTED + 1)
PROCESSES = 2
Result = TypeVar("Result")


@dataclass(frozen=True)
class Quiet:
    """A world in which nothing happened: of every night the smallest q of a large change, and the new breaches.

    `p_values` are those of all series on the nights that have a whole window behind them, (nights, S).
    """

    smallest_q: list[float]
    alerts: list[int]
    p_values: np.ndarray
    n_series: int


@dataclass(frozen=True)
class Injected:
    """A world with one change at a time, (kind, size): genchi's smallest q on the route, and the oracle's deviate.

    `p_before` are the p-values of the route's series without a change, (S,), `p_after` those with it, (sizes, S).
    """

    smallest_q: dict[str, list[float]]
    oracle_z: dict[str, list[float]]
    p_before: np.ndarray
    p_after: dict[str, np.ndarray]


def quiet(seed: int) -> Quiet:
    """Sixty nights. A breach is new where none of the days of the run of open days that it belongs to had one."""
    world = simulate(seed, NIGHTS)
    keys, daily = series(world)
    max_q = thresholds(RISK)["max_q_value"]
    lowest, alerts, p_values, n = [], [], [], 0
    ongoing = np.zeros(len(keys), bool)
    for day in range(1, NIGHTS):
        night = verdicts(keys, daily, world, day)
        lowest.append(smallest(night.q_value, night.is_large))
        p_values += [night.p_value] if day >= WINDOW else []
        breaches = night.breaches(max_q)
        alerts.append(int((breaches & ~ongoing).sum()))
        ongoing = (ongoing & night.is_open) | breaches
        n = max(n, int(np.isfinite(night.q_value).sum()))
    return Quiet(lowest, alerts, np.array(p_values), n)


def injected(seed: int) -> Injected:
    """Night 45 of one world, again and again, each time with one kind of change at one size."""
    world = simulate(seed, INJECTED + 1)
    keys, daily = series(world)
    on_route = np.array([key.route == ROUTE for key in keys])
    oracle = Oracle(world, INJECTED, seed)
    before = verdicts(keys, daily, world, INJECTED).p_value[on_route]
    after: dict[str, np.ndarray] = {}
    q: dict[str, list[float]] = {}
    z: dict[str, list[float]] = {}
    for kind, injection in KINDS.items():
        place = next(n for n, k in enumerate(keys) if k.route == ROUTE and (k.side, k.feature) == injection.series)
        q[kind], values, p_values = [], [], []
        for size in SIZES:
            changed = inject(world, injection, NIGHT, size, seed)
            sums = with_days(changed, daily, NIGHT)
            night = verdicts(keys, sums, changed, INJECTED)
            q[kind].append(smallest(night.q_value, night.is_large & on_route))
            p_values.append(night.p_value[on_route])
            values.append(sums.total[place, -1] / sums.n[place, -1])
        after[kind] = np.array(p_values)
        z[kind] = [float(value) for value in oracle.deviates(injection, np.array(values))]
    return Injected(q, z, before, after)


def smallest(q: np.ndarray, among: np.ndarray) -> float:
    """The smallest q-value of some series; 1 without one."""
    chosen = q[among & np.isfinite(q)]
    return float(chosen.min()) if len(chosen) else 1.0


def over(work: Callable[[int], Result], seeds: Iterable[int]) -> list[Result]:
    """The same work on every seed, on two processors."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        return list(pool.map(work, seeds))

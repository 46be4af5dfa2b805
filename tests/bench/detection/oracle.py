"""The upper bound: an oracle that knows a series' true mean and noise, and tests only this series.

The truth is drawn from the world itself: the same route and night 400 times over, with new callers, a new wander and
new calls; users' leanings and the weekday's rate as they are.
"""

import numpy as np
from scipy.special import ndtri

from flows.stats.deviates import standardised
from tests.bench.detection import world as w
from tests.bench.detection.injections import ROUTE, Injection
from tests.bench.detection.world import Truth, World

DRAWS = 400


class Oracle:
    """Knows one world on one night."""

    def __init__(self, world: World, day: int, seed: int) -> None:
        self._world, self._day = world, day
        self._rng = np.random.default_rng((seed, 11))
        n = int(((world.day == day) & (world.route == ROUTE)).sum())
        chance = world.activity * np.where(world.home == ROUTE, 0.8 + 0.2 * w.ROUTES[ROUTE], 0.2 * w.ROUTES[ROUTE])
        draws = (DRAWS, w.USERS)
        present = (self._rng.random(draws) < 0.5) * self._rng.gamma(2.0, 0.5, draws) * chance
        self._counts = self._rng.poisson(n * present / present.sum(1, keepdims=True))

    def deviates(self, injection: Injection, values: np.ndarray) -> np.ndarray:
        """How many true standard deviations each of `values` (means of the series) lies off its true mean."""
        if injection.series not in self._world.truths:  # a series that never is but 0: any event is certain
            return np.where(values > 0, np.inf, 0.0)
        truth = self._world.truths[injection.series]
        null = self._means(truth)
        mean, variance = np.full(len(values), null.mean()), np.full(len(values), null.var(ddof=1))
        return standardised(values, mean, variance, np.full(len(values), truth.is_share))

    def _means(self, truth: Truth) -> np.ndarray:
        """Means of the series on nights like this one, on which nothing happened, (DRAWS,)."""
        rate = truth.quiet[ROUTE, self._day] + truth.sigma[ROUTE] * self._rng.normal(0, 1, (DRAWS, 1))
        level = rate + truth.deviation * truth.leaning
        if truth.is_share:
            return self._rng.binomial(self._counts, 1 / (1 + np.exp(-level))).sum(1) / self._counts.sum(1)
        places = np.repeat(np.arange(self._counts.size), self._counts.ravel())
        values = truth.shaped(level.ravel()[places] + truth.deviation * self._rng.normal(0, 0.85, len(places)))
        draw = places // w.USERS
        return np.bincount(draw, values, DRAWS) / np.bincount(draw, minlength=DRAWS)


def sees(z: np.ndarray, alarms: float) -> np.ndarray:
    """Whether a two-sided test with false alarms in a share `alarms` of quiet nights raises an alarm."""
    return np.abs(z) > -ndtri(alarms / 2)

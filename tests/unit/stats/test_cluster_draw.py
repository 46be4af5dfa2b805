"""A draw of one of each cluster: its size is kept, its probabilities are true, and estimates from it are unbiased."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from flows.stats.cluster_draw import Drawn, draw, factors

SEEDS = 2000


@dataclass(frozen=True)
class Pool:
    """A pool of units with strata, clusters of several sizes, and which of the units fail."""

    strata: NDArray[np.int64]
    clusters: NDArray[np.int64]
    fails: NDArray[np.float64]
    weights: NDArray[np.float64]

    def drawn(self, rng: np.random.Generator, size: int) -> Drawn:
        """One draw with random orders of clusters and units, and a random start."""
        orders = rng.integers(0, 2**63, self.clusters.max() + 1).astype(np.uint64)
        start = float(rng.random())
        return draw(self.weights, orders[self.clusters], self.strata, size=size, start=start)


@pytest.fixture(scope="module")
def pool() -> Pool:
    """600 units in sessions of 1 to 25; longer sessions fail more often, and so do some strata."""
    rng = np.random.default_rng(5)
    sizes = np.concatenate([np.ones(150, int), np.full(60, 2), np.full(30, 5), np.full(11, 10), [25, 25, 20]])
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    strata = rng.choice(5, len(clusters), p=[0.6, 0.25, 0.08, 0.05, 0.02])
    rates = 0.05 + 0.1 * strata + 0.02 * sizes[clusters]
    fails = (rng.random(len(clusters)) < rates).astype(float)
    in_strata = np.bincount(strata)
    weights = 20 / len(clusters) + np.array([0, 2.5, 2.5, 2.5, 2.5]) / in_strata
    return Pool(strata, clusters, fails, weights[strata])


def test_units_are_drawn_as_often_as_their_probability_says_in_every_stratum_and_cluster(pool: Pool) -> None:
    rng = np.random.default_rng(1)
    hits = np.zeros(len(pool.strata))
    said = np.zeros(len(pool.strata))
    for _ in range(SEEDS):
        drawn = pool.drawn(rng, 30)
        hits[drawn.places] += 1
        said[drawn.places] = drawn.probabilities
    assert (said > 0).all()  # every unit can be drawn
    assert said.sum() == pytest.approx(30)
    for groups in (pool.strata, np.bincount(pool.clusters)[pool.clusters]):
        for group in np.unique(groups):
            expected = said[groups == group].sum() * SEEDS
            # A count of a group varies at most as a sum of independent draws of its units.
            error = np.sqrt((said * (1 - said))[groups == group].sum() * SEEDS)
            assert abs(hits[groups == group].sum() - expected) < 4 * error
    standard = (hits - said * SEEDS) / np.sqrt(said * (1 - said) * SEEDS)
    assert standard.std() < 1.15
    assert abs(standard).max() < 5


def test_the_failure_rate_is_estimated_without_bias(pool: Pool) -> None:
    rng = np.random.default_rng(2)
    estimates = []
    naive = []
    for _ in range(SEEDS):
        drawn = pool.drawn(rng, 30)
        estimates.append((pool.fails[drawn.places] / drawn.probabilities).sum() / len(pool.fails))
        naive.append(pool.fails[drawn.places].mean())
    error = np.std(estimates) / np.sqrt(SEEDS)
    assert abs(np.mean(estimates) - pool.fails.mean()) < 4 * error
    assert abs(np.mean(naive) - pool.fails.mean()) > 10 * error  # what weights are for


def test_units_of_a_stratum_have_one_probability_but_in_clusters_that_are_certain(pool: Pool) -> None:
    drawn = [pool.drawn(np.random.default_rng(seed), 30) for seed in range(200)]
    said = dict(pair for one in drawn for pair in zip(one.places.tolist(), one.probabilities.tolist(), strict=True))
    small = [place for place in said if (pool.clusters == pool.clusters[place]).sum() <= 5]
    for stratum in range(5):
        assert len({round(said[place], 12) for place in small if pool.strata[place] == stratum}) == 1


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 4)), max_size=60),
    st.integers(0, 40),
    st.floats(0, 1, exclude_max=True),
)
def test_at_most_one_unit_of_a_cluster_is_drawn_and_as_many_as_asked_for(
    units: list[tuple[int, int]], size: int, start: float
) -> None:
    clusters = np.array([cluster for cluster, _ in units], np.uint64)
    groups = np.array([group for _, group in units], np.int64)
    weights = np.array([0.1, 1, 3, 10, 200])[groups]
    drawn = draw(weights, clusters, groups, size=size, start=start)
    again = draw(weights, clusters, groups, size=size, start=start)
    assert len(drawn.places) == min(size, len(set(clusters.tolist())))
    assert len(set(clusters[drawn.places].tolist())) == len(drawn.places)
    assert drawn.places.tolist() == again.places.tolist()
    assert ((drawn.probabilities > 0) & (drawn.probabilities <= 1 + 1e-9)).all()


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=50), st.integers(1, 60))
def test_factors_add_up_to_the_size_with_nothing_above_one(weights: list[float], size: int) -> None:
    made = factors(np.array(weights), size) * np.array(weights)
    assert made.sum() == pytest.approx(min(size, len(weights)))
    assert made.max() <= 1 + 1e-9

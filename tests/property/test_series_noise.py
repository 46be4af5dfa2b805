"""The p-values of series: honest on what was simulated, and blind to what must not matter."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from flows.stats.deviates import standardised
from flows.stats.noise import Daily, day_test
from flows.stats.shrinkage import squeeze
from tests.bench.detection.sums import series, upto
from tests.bench.detection.world import simulate

WEEKDAY = np.arange(29) % 7


def table(seed: int, series_count: int) -> tuple[Daily, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = rng.integers(50, 2000, (series_count, 29)).astype(float)
    total = rng.binomial(n.astype(int), rng.uniform(0.01, 0.9, (series_count, 1))).astype(float)
    return Daily(n, n, total, total, total, total, n), np.ones(series_count, bool)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_order_of_series_does_not_matter(seed: int) -> None:
    daily, is_share = table(seed, 15)
    order = np.random.default_rng(seed).permutation(15)
    moved = Daily(**{f.name: getattr(daily, f.name)[order] for f in fields(Daily)})
    assert day_test(moved, WEEKDAY, is_share).p_value == pytest.approx(
        day_test(daily, WEEKDAY, is_share).p_value[order]
    )


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_yes_and_no_are_the_same_news(seed: int) -> None:
    daily, is_share = table(seed, 15)
    no = daily.n - daily.total
    turned = Daily(daily.n, daily.n, no, no, no, no, daily.n)
    assert day_test(turned, WEEKDAY, is_share).p_value == pytest.approx(
        day_test(daily, WEEKDAY, is_share).p_value, rel=0.2
    )


@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100), shift=st.floats(-50, 50))
@settings(max_examples=25, deadline=None)
def test_the_unit_of_a_number_does_not_matter(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(rng.normal(0, 0.1, (12, 29, 1)), 1, (12, 29, 200))

    def sums(x: np.ndarray) -> Daily:
        n, squares = np.full(x.shape[:2], 200.0), (x**2).sum(2)
        return Daily(n, n, x.sum(2), squares, squares, x.sum(2), n)

    is_share = np.zeros(12, bool)
    here, there = (day_test(sums(x), WEEKDAY, is_share) for x in (values, values * scale + shift))
    assert there.p_value == pytest.approx(here.p_value, rel=1e-3, abs=1e-9)
    assert there.effect == pytest.approx(here.effect, rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("p", [0.001, 0.03, 0.4])
def test_a_share_without_noise_of_its_own_has_the_binomial_s_mid_p(p: float) -> None:
    n = 500
    events = np.arange(0, n + 1, 3)
    z = standardised(
        events / n, np.full(len(events), p), np.full(len(events), p * (1 - p) / n), np.ones(len(events), bool)
    )
    upper = stats.binom.sf(events, n, p) + stats.binom.pmf(events, n, p) / 2
    kept = (upper > 1e-12) & (upper < 0.5)
    assert stats.norm.sf(z[kept]) == pytest.approx(upper[kept], rel=1e-6)


def test_dispersions_of_like_series_are_squeezed_together_and_that_of_another_kind_is_left() -> None:
    rng = np.random.default_rng(2)
    dispersion, worth = 3 * rng.chisquare(20, 60) / 20, np.full(60, 50.0)
    dispersion[0] = 40.0
    squeezed = squeeze(dispersion, np.full(60, 20.0), worth, np.ones(60, bool), np.ones(60, bool))
    total = 1 + squeezed.wander * worth
    assert total[1:].std() < dispersion[1:].std() / 2
    assert total[1:].mean() == pytest.approx(3, rel=0.15)
    assert total[0] > 25


def test_p_values_are_honest_where_nothing_happens() -> None:
    p = []
    for seed in range(4):
        world = simulate(seed, 40)
        keys, daily = series(world)
        is_share = np.array([key.is_share for key in keys[: len(daily.n)]])
        for day in range(29, 40):
            p.append(day_test(upto(daily, day, 28), world.weekday[day - 28 : day + 1], is_share).p_value)
    found = np.concatenate(p)
    found = found[np.isfinite(found)]
    assert len(found) > 10_000
    # Series of one night share their callers, so that these are rates over some forty nights.
    assert 0.05 < (found < 0.1).mean() < 0.12
    assert 0.004 < (found < 0.01).mean() < 0.014
    assert (found < 1e-4).mean() < 5e-4

"""What is too small for one night is seen within a week, and one odd night is told once."""

from dataclasses import fields

import numpy as np
import pytest

from flows.stats.noise import Daily, day_test
from flows.stats.windows import LONGEST, SHARES, combined, window_tests

DAYS = 28 + LONGEST
WEEKDAY = np.arange(DAYS + 1) % 7


def counts(share: np.ndarray, series: int = 40, n: int = 500, seed: int = 0) -> Daily:
    """Flags of as many users as calls; the first series has `share` (D + 1,) and the others a fifth."""
    rng = np.random.default_rng(seed)
    shares = np.full((series, DAYS + 1), 0.2)
    shares[0] = share
    total = rng.binomial(n, shares).astype(float)
    calls = np.full(shares.shape, float(n))
    return Daily(calls, calls, total, total, total, total, calls)


def p_of(daily: Daily) -> dict[int, float]:
    found = window_tests(daily, WEEKDAY, np.ones(len(daily.n), bool), 28)
    return {nights: float(p[0]) for nights, p in found.p_values.items()}


def lasting(nights: int, share: float) -> np.ndarray:
    shares = np.full(DAYS + 1, 0.2)
    shares[DAYS + 1 - nights :] = share
    return shares


def test_a_small_change_that_lasts_is_seen_over_seven_nights_and_not_in_one() -> None:
    found = [p_of(counts(lasting(7, 0.245), seed=seed)) for seed in range(20)]
    assert np.median([p[7] for p in found]) < 1e-4
    assert np.median([p[1] for p in found]) > 1e-3


def test_an_odd_night_is_not_told_again_by_the_windows_that_have_it() -> None:
    found = []
    for seed in range(30):
        share = np.full(DAYS + 1, 0.2)
        share[-2 - seed % 5] = 0.6  # twenty standard errors of a night
        p = p_of(counts(share, seed=seed))
        found.append(min(p[3] / SHARES[3], p[7] / SHARES[7]))
    assert min(found) > 1e-3
    assert np.median(found) > 0.1


def test_what_is_over_is_not_told_by_the_nights_before() -> None:
    share = lasting(7, 0.35)
    share[-1] = 0.2
    found = p_of(counts(share))
    assert found[3] == found[7] == 1.0


def test_nights_without_calls_are_no_nights_of_a_window() -> None:
    daily = counts(lasting(12, 0.26))
    closed = (WEEKDAY >= 5) & (np.arange(DAYS + 1) < DAYS)
    without = Daily(**{f.name: np.where(closed, 0.0, getattr(daily, f.name)) for f in fields(Daily)})
    found = window_tests(without, WEEKDAY, np.ones(40, bool), 28).of_nights[7]
    recent = np.flatnonzero(without.n[0] > 0)[-LONGEST:]
    assert found.observed[0] == pytest.approx(daily.total[0, recent].sum() / daily.n[0, recent].sum(), abs=0.002)


def test_a_young_series_is_tested_by_its_night_alone_and_has_all_of_the_alpha() -> None:
    daily = counts(lasting(1, 0.3))
    young = Daily(**{f.name: getattr(daily, f.name)[:, -20:] for f in fields(Daily)})
    found = window_tests(young, WEEKDAY[-20:], np.ones(40, bool), 28)
    p, nights = combined(found.p_values)
    assert p == pytest.approx(day_test(young, WEEKDAY[-20:], np.ones(40, bool)).p_value)
    assert set(nights) == {1}


def test_the_tests_of_a_series_share_its_alpha() -> None:
    assert sum(SHARES.values()) == pytest.approx(1.0)
    values = {1: np.array([0.2, 0.001, np.nan]), 3: np.array([0.5, 0.9, 0.1]), 7: np.array([0.0004, np.nan, 0.2])}
    p, nights = combined(values)
    assert p[:2] == pytest.approx([0.0004 / SHARES[7], 0.001 / (1 - SHARES[3])])
    assert np.isnan(p[2])
    assert nights[:2].tolist() == [7, 1]


def test_levels_that_wander_slowly_are_no_news() -> None:
    rng = np.random.default_rng(5)
    p = []
    for _ in range(40):
        wander = rng.normal(0, 0.2, (60, DAYS + 1))
        for day in range(1, DAYS + 1):
            wander[:, day] = 0.8 * wander[:, day - 1] + 0.6 * wander[:, day]
        n = np.full(wander.shape, 500.0)
        total = rng.binomial(500, 1 / (1 + np.exp(1.4 - wander))).astype(float)
        p.append(window_tests(Daily(n, n, total, total, total, total, n), WEEKDAY, np.ones(60, bool), 28).p_values[7])
    found = np.concatenate(p)
    assert (found < 0.01).mean() < 0.025
    assert (found < 0.001).mean() < 0.004

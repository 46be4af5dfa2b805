"""All features of a route's outputs together: what each alone is too small to tell, and what is not."""

import numpy as np

from flows.stats.noise import Daily
from flows.stats.profile import profile_tests, profiles
from flows.stats.windows import LONGEST, window_tests

DAYS = 28 + LONGEST
FEATURES = 14


def p_values(shift: np.ndarray, trials: int = 300, nights: int = 28, seed: int = 0) -> np.ndarray:
    """Of deviates of which neighbours are correlated, the last night moved by `shift` (FEATURES,)."""
    rng = np.random.default_rng(seed)
    mixing = np.eye(FEATURES) + 0.7 * np.eye(FEATURES, k=1)
    mixing /= np.sqrt((mixing**2).sum(0))
    found = []
    for _ in range(trials):
        draws = rng.normal(0, 1, (nights + 1, FEATURES)) @ mixing
        found.append(profile_tests({1: draws[-1] + shift}, draws[:-1].T)[1][0])
    return np.array(found)


def test_the_p_values_are_honest_where_nothing_happens() -> None:
    found = p_values(np.zeros(FEATURES), trials=2000)
    assert 0.07 < (found < 0.1).mean() < 0.13
    assert (found < 0.01).mean() < 0.015


def test_many_small_shifts_are_seen_together() -> None:
    signs = np.where(np.arange(FEATURES) % 2, 2.0, -2.0)
    assert (p_values(signs) < 0.001).mean() > 0.8


def test_features_that_count_the_same_thing_do_no_harm() -> None:
    rng = np.random.default_rng(1)
    half = rng.normal(0, 1, (FEATURES, 29))
    twice = np.vstack([half, -half])
    ((p, _),) = profile_tests({1: twice[:, -1]}, twice[:, :-1]).values()
    assert 0.001 < p <= 1


def test_too_few_nights_or_features_are_not_tested() -> None:
    assert profile_tests({1: np.zeros(FEATURES)}, np.zeros((FEATURES, 17))) == {}
    assert profile_tests({1: np.zeros(2)}, np.zeros((2, 28))) == {}


def test_a_window_counts_if_its_last_night_agrees() -> None:
    past = np.random.default_rng(2).normal(0, 1, (FEATURES, 28))
    moved = np.full(FEATURES, 3.0)
    assert profile_tests({1: moved / 2, 7: moved}, past)[7][0] < 1e-4
    assert profile_tests({1: -moved / 2, 7: moved}, past)[7][0] == 1.0


def test_the_features_that_moved_most_are_named_of_outputs_alone() -> None:
    rng = np.random.default_rng(3)
    shares = np.full((9, DAYS + 1), 0.3)
    shares[1, -1], shares[4, -1], shares[5, -1], shares[7, -1] = 0.36, 0.24, 0.37, 0.9
    n = np.full(shares.shape, 1000.0)
    total = rng.binomial(1000, shares).astype(float)
    keys = [("r", "output", f"f{place}") for place in range(7)] + [("r", "input", "f7"), ("r", "output", "field:f8")]
    found = window_tests(Daily(n, n, total, total, total, total, n), np.arange(DAYS + 1) % 7, np.ones(9, bool), 28)
    (profile,) = profiles(keys, found)
    assert profile.p_value < 1e-4
    assert set(profile.moved) == {"f1 up", "f4 down", "f5 up"}

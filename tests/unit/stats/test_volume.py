"""The number of calls as a series."""

import numpy as np
import pytest

from flows.stats.noise import day_test
from flows.stats.volume import volumes

WEEKDAY = np.arange(29) % 7


def p_of(calls: np.ndarray, sizes: np.ndarray | None = None) -> float:
    """Of the first route; another one goes on as ever."""
    other = np.random.default_rng(1).poisson(500, 29).astype(float)
    both = np.stack([calls.astype(float), other])
    cluster_sizes = both if sizes is None else np.stack([sizes, other])
    return float(day_test(volumes(both, cluster_sizes), WEEKDAY, np.zeros(2, bool)).p_value[0])


def usual(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(800, 29)


def test_a_usual_number_is_no_news_and_half_of_it_is() -> None:
    calls = usual()
    assert p_of(calls) > 0.01
    calls[-1] = 400
    assert p_of(calls) < 1e-3


def test_a_route_that_falls_silent_is_seen_and_one_that_sleeps_on_that_weekday_is_not() -> None:
    calls = usual()
    calls[-1] = 0
    assert p_of(calls) < 1e-4
    calls[WEEKDAY[-1] == WEEKDAY] = 0
    assert np.isnan(p_of(calls))


def test_nobody_calls_it_silence_where_there_are_no_logs_at_all() -> None:
    calls = np.stack([usual(), usual(1)]).astype(float)
    calls[:, -1] = 0
    assert np.isnan(day_test(volumes(calls, calls), WEEKDAY, np.zeros(2, bool)).p_value).all()


def test_few_callers_with_many_calls_each_make_a_number_uncertain() -> None:
    calls = usual()
    one_by_one = volumes(calls[None, :].astype(float), calls[None, :].astype(float))
    in_bursts = volumes(calls[None, :].astype(float), 50.0 * calls[None, :])
    assert in_bursts.n[0, 0] == pytest.approx(one_by_one.n[0, 0] / 50)


def test_routes_that_have_the_same_number_of_calls_each_day_change_nothing_in_what_is_said_of_others() -> None:
    rng = np.random.default_rng(2)
    wandering = rng.poisson(800, (12, 29)).astype(float)
    fixed = np.outer([50.0, 333.0, 1000.0, 1234.0, 7.0, 91.0], np.ones(29))
    users = rng.uniform(2, 3, (18, 29))
    alone, among = (
        day_test(volumes(calls, calls * users[: len(calls)]), WEEKDAY, np.zeros(len(calls), bool)).p_value[:12]
        for calls in (wandering, np.concatenate([wandering, fixed]))
    )
    assert among == pytest.approx(alone, rel=1e-9)

"""What a series' past lets expect: the cases that an on-call person would complain about."""

import numpy as np
import pytest

from flows.stats.noise import Daily, DayTest, day_test

DAYS = 28
WEEKDAY = np.arange(DAYS + 1) % 7


def sums(n: np.ndarray, total: np.ndarray, events_a_user: float = 1.0) -> Daily:
    """Flags of calls by as many users as calls; the events of `events_a_user` calls are one user's."""
    n, total = np.asarray(n, float), np.asarray(total, float)
    return Daily(n, n, total, total, total * events_a_user, total * events_a_user, n * events_a_user)


def flags(total: np.ndarray, n: float = 1000.0, events_a_user: float = 1.0) -> DayTest:
    total = np.atleast_2d(np.asarray(total, float))
    return day_test(sums(np.full(total.shape, n), total, events_a_user), WEEKDAY, np.ones(len(total), bool))


def quiet(share: float, series: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).binomial(1000, share, (series, DAYS + 1)).astype(float)


def test_what_never_was_is_seen_at_once() -> None:
    total = np.zeros(DAYS + 1)
    total[-1] = 6
    judged = flags(total)
    assert judged.p_value[0] < 1e-5
    assert judged.observed[0] == pytest.approx(0.006)


def test_one_user_who_meets_something_new_six_times_is_no_six_events() -> None:
    total = np.zeros(DAYS + 1)
    total[-1] = 6
    assert flags(total, events_a_user=6).p_value[0] > 1e-4


def test_a_share_that_never_was_and_is_not_takes_no_part() -> None:
    judged = flags(np.zeros(DAYS + 1))
    assert np.isnan(judged.p_value[0])
    assert np.isnan(flags(np.full(DAYS + 1, 1000.0)).p_value[0])


def test_a_day_out_of_order_in_the_past_does_not_hide_the_next_one() -> None:
    total = quiet(0.2)
    total[0, 10], total[0, -1] = 800, 800
    judged = flags(total)
    assert judged.p_value[0] < 1e-6
    assert judged.expected[0] == pytest.approx(0.2, abs=0.02)


def test_a_level_that_was_left_is_still_missed_a_week_later_and_the_new_one_is_expected_after_three() -> None:
    total = quiet(0.2)
    total[0, -8:] = 500
    assert flags(total).p_value[0] < 1e-6
    total[0, -20:] = np.random.default_rng(1).binomial(1000, 0.5, 20)
    judged = flags(total)
    assert judged.expected[0] == pytest.approx(0.5, abs=0.05)
    assert judged.p_value[0] > 0.001


def test_a_weekend_that_is_always_so_is_no_news_and_the_same_on_a_working_day_is() -> None:
    share = np.where(WEEKDAY >= 5, 0.6, 0.3)
    total = np.random.default_rng(3).binomial(1000, share, (1, DAYS + 1)).astype(float)
    saturday = sums(np.full((1, DAYS + 1), 1000.0), total)
    as_it_is = day_test(saturday, WEEKDAY, np.ones(1, bool))
    assert WEEKDAY[-1] == 0
    assert as_it_is.p_value[0] > 0.01
    total[0, -1] = 600
    assert day_test(saturday, WEEKDAY, np.ones(1, bool)).p_value[0] < 1e-4


def test_a_route_that_nearly_sleeps_at_weekends_is_no_news_on_a_saturday() -> None:
    n = np.where((WEEKDAY + 5) % 7 >= 5, 0.02, 0.6)  # judged on a Saturday
    assert n[-1] == 0.02
    total = np.random.default_rng(4).binomial(1000, n, (1, DAYS + 1)).astype(float)
    judged = day_test(sums(np.full((1, DAYS + 1), 1000.0), total), (WEEKDAY + 5) % 7, np.ones(1, bool))
    assert judged.expected[0] == pytest.approx(0.02, abs=0.02)
    assert judged.p_value[0] > 0.01


def test_the_first_days_cry_for_nothing_but_what_is_great() -> None:
    n = np.full((1, 3), 1000.0)
    small = day_test(sums(n, np.array([[300.0, 310.0, 350.0]])), WEEKDAY[:3], np.ones(1, bool))
    great = day_test(sums(n, np.array([[10.0, 12.0, 900.0]])), WEEKDAY[:3], np.ones(1, bool))
    assert small.p_value[0] > 0.1
    assert great.p_value[0] < 0.01


def test_the_first_day_has_no_p_value_and_says_what_its_calls_are_worth() -> None:
    n, total = np.full((1, 1), 1000.0), np.full((1, 1), 300.0)
    one = day_test(sums(n, total), WEEKDAY[:1], np.ones(1, bool))
    heavy = day_test(sums(n, total, events_a_user=20), WEEKDAY[:1], np.ones(1, bool))
    assert np.isnan(one.p_value[0])
    assert np.isnan(one.expected[0])
    assert heavy.n_effective[0] < one.n_effective[0] <= 1000


def test_days_without_values_say_nothing() -> None:
    total, n = quiet(0.2), np.full((1, DAYS + 1), 1000.0)
    n[0, 3:20], total[0, 3:20] = 0, 0
    judged = day_test(sums(n, total), WEEKDAY, np.ones(1, bool))
    assert judged.n_days[0] == DAYS - 17
    assert 0.0 < judged.p_value[0] <= 1
    n[0, -1], total[0, -1] = 0, 0
    assert np.isnan(day_test(sums(n, total), WEEKDAY, np.ones(1, bool)).p_value[0])


def test_a_series_that_wanders_more_than_the_others_is_known_by_it() -> None:
    rng = np.random.default_rng(5)
    share = np.full((41, DAYS + 1), 0.3)
    share[0] += rng.normal(0, 0.06, DAYS + 1)
    total = rng.binomial(1000, share).astype(float)
    total[:, -1] = 400
    judged = flags(total)
    assert judged.p_value[0] > 0.01 > judged.p_value[1:].max()
    assert judged.error[0] > 2 * judged.error[1:].max()


def numbers(*days: np.ndarray) -> DayTest:
    """Each array the values of a day, every one of a caller of its own."""
    columns = [
        [len(day), len(day), day.sum(), (day**2).sum(), (day**2).sum(), day.sum(), len(day)]
        for day in map(np.asarray, days)
    ]
    daily = Daily(*np.array(columns, float).T[:, None, :])
    return day_test(daily, np.arange(len(days)) % 7, np.zeros(1, bool))


def test_one_odd_value_after_a_past_that_never_differed_is_no_certainty() -> None:
    past = [np.zeros(300)] * DAYS
    one, thirty = np.zeros(300), np.zeros(300)
    one[0], thirty[:30] = 0.02, 0.02
    assert numbers(*past, one).p_value[0] > 0.03
    assert abs(numbers(*past, one).effect[0]) < 0.1
    assert numbers(*past, thirty).p_value[0] < 1e-5


def test_a_route_that_began_with_one_call_has_no_norm_by_it() -> None:
    rng = np.random.default_rng(5)
    judged = numbers(np.array([5.0]), rng.normal(6, 1, 300))
    assert judged.p_value[0] > 0.1


def test_what_is_always_the_same_and_then_another_is_seen() -> None:
    judged = numbers(*[np.full(100, 3.0)] * DAYS, np.full(100, 4.0))
    assert judged.p_value[0] < 1e-6
    assert judged.effect[0] > 1


def of_days(values: np.ndarray) -> Daily:
    """Values (S, D + 1, n) of as many numbers, every one of a caller of its own."""
    n, total, squares = np.full(values.shape[:2], float(values.shape[2])), values.sum(2), (values**2).sum(2)
    return Daily(n, n, total, squares, squares, total, n)


@pytest.mark.parametrize("days", [3, 10, DAYS])
def test_numbers_that_never_vary_change_nothing_in_what_is_said_of_others(days: int) -> None:
    rng = np.random.default_rng(6)
    varied = np.log1p(rng.normal(200, 30, (15, days + 1, 300)))
    varied[0, -1] += 0.5
    constant = np.repeat(np.log1p([1.0, 3.0, 10.0, 77.0, 1234.5, 0.1])[:, None, None], days + 1, 1).repeat(300, 2)
    stepped = constant.copy()  # of one value within each day, and of another one since the middle of the past
    stepped[:, days // 2 :] += 0.3
    alone, among = (
        day_test(of_days(values), WEEKDAY[: days + 1], np.zeros(len(values), bool)).p_value[:15]
        for values in (varied, np.concatenate([varied, constant, stepped]))
    )
    assert among == pytest.approx(alone, rel=1e-9)
    assert among[0] < 0.05


def test_a_number_that_has_one_value_only_takes_no_part() -> None:
    for value in (0.0, np.log1p(10.0), 1234.5678):
        assert np.isnan(numbers(*[np.full(100, value)] * (DAYS + 1)).p_value[0])
    assert numbers(*[np.full(100, 3.0)] * DAYS, np.append(np.full(99, 3.0), 3.01)).p_value[0] <= 1


def test_a_number_without_any_value_is_unknown_and_warns_of_nothing() -> None:
    nothing = np.zeros((1, DAYS + 1))
    judged = day_test(Daily(*[nothing] * 7), WEEKDAY, np.zeros(1, bool))
    assert np.isnan(judged.p_value[0])


@pytest.mark.parametrize(("weekday", "is_found"), [(1, True), (5, False)])
def test_a_first_tuesday_is_expected_to_be_like_other_working_days_and_a_first_saturday_is_not(
    weekday: int, is_found: bool
) -> None:
    days = np.concatenate([np.arange(DAYS), [35 + weekday]]) % 7  # Monday to Sunday, four times
    total = quiet(0.2)
    n = np.where(np.isin(days, (weekday, 5, 6)), 0.0, 1000.0)
    n[-1], total[0, -1] = 1000.0, 260.0
    judged = day_test(sums(n[None, :], total * (n > 0)), days, np.ones(1, bool))
    assert judged.p_value[0] < 0.02 if is_found else judged.p_value[0] > 0.1

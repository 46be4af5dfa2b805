"""By when a day is usually complete, and when a day has far less than ever: nothing is said where little is known."""

import random

from flows.stats.lateness import FEWEST_DAYS, is_far_less, usually_complete


def test_nine_of_ten_days_were_complete_by_the_usual_hour() -> None:
    hours = [2 + n / 10 for n in range(20)]
    assert usually_complete(hours) == hours[17]
    assert sum(hour <= (usually_complete(hours) or 0) for hour in hours) >= 0.9 * len(hours)


def test_the_order_of_the_days_does_not_matter() -> None:
    hours = [random.Random(n).uniform(-1, 5) for n in range(12)]
    assert usually_complete(hours) == usually_complete(hours[::-1]) == usually_complete(sorted(hours))


def test_few_days_say_nothing() -> None:
    assert usually_complete([2.0] * (FEWEST_DAYS - 1)) is None
    assert usually_complete([2.0] * FEWEST_DAYS) == 2.0
    assert not is_far_less(0, [100] * (FEWEST_DAYS - 1))
    assert is_far_less(0, [100] * FEWEST_DAYS)


def test_half_of_the_fewest_is_far_less_and_an_empty_day_before_makes_nothing_usual() -> None:
    past = [100, 120, 90, 110, 100, 95, 130]
    assert is_far_less(44, past)
    assert not is_far_less(45, past)
    assert not is_far_less(0, [*past, 0])


def test_days_of_one_kind_are_rarely_called_far_less() -> None:
    draws = random.Random(1)
    trials = [[draws.randint(0, 1000) for _ in range(29)] for _ in range(2000)]
    assert sum(is_far_less(one[0], one[1:]) for one in trials) / len(trials) <= 1 / 29

import pytest

from flows.stats.paired import NOTHING, compare
from flows.stats.proportions import pass_rate, wilson


def test_nothing_scored_is_no_rate_and_not_zero():
    found = pass_rate([[], []])
    assert (found.n_examples, found.rate, found.low, found.high) == (0, None, None, None)


def test_an_example_without_answers_is_left_out():
    assert pass_rate([[1.0], [], [0.0]]).n_examples == 2


def test_wilson_is_the_interval_of_the_textbook():
    # Newcombe (1998, Statistics in Medicine 17:857), table I, method 3: 81 of 263 and 0 of 20.
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=1e-4)


def test_repeats_that_never_differ_add_no_evidence():
    once = pass_rate([[1.0]] * 30 + [[0.0]] * 20)
    thrice = pass_rate([[1.0] * 3] * 30 + [[0.0] * 3] * 20)
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))


def test_repeats_that_differ_within_examples_add_evidence():
    once, thrice = pass_rate([[1.0], [0.0]] * 20), pass_rate([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]] * 20)
    assert thrice.high - thrice.low < once.high - once.low


def test_a_comparison_without_common_examples_is_nothing():
    assert compare({"a": [1.0]}, {"b": [1.0]}) == NOTHING
    assert compare({"a": [1.0]}, {"a": []}) == NOTHING


def test_one_example_has_a_delta_and_no_interval():
    found = compare({"a": [1.0]}, {"a": [0.0]})
    assert (found.delta, found.low, found.p_value, found.n_regressed) == (-1, None, None, 1)


def test_the_interval_is_agresti_and_mins_with_half_an_answer_in_each_cell():
    # 10 pairs: 4 regressed, 1 repaired. centre -3/12; variance (6/12 - 1/16)/12; t(9) = 2.26216
    pinned = {str(n): [1.0 if n < 5 else 0.0] for n in range(10)}
    candidate = {str(n): [0.0 if n < 4 else 1.0 if n < 6 else 0.0] for n in range(10)}
    found = compare(pinned, candidate)
    assert found.delta == pytest.approx(-0.3)
    assert (found.low, found.high) == pytest.approx((-0.25 - 2.26216 * 0.190941, -0.25 + 2.26216 * 0.190941), abs=1e-5)
    assert (found.n_regressed, found.n_repaired) == (4, 1)


def test_a_difference_as_large_as_the_detectable_one_would_mostly_be_found():
    small = compare({str(n): [n % 2] for n in range(40)}, {str(n): [n % 3 == 0] for n in range(40)})
    large = compare({str(n): [n % 2] for n in range(400)}, {str(n): [n % 3 == 0] for n in range(400)})
    assert 0 < large.minimum_detectable < small.minimum_detectable <= 1

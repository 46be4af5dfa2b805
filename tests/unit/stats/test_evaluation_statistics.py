import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.special import xlogy

from flows.stats import bounded_mean
from flows.stats.paired import NOTHING, Unanswered, compare, if_unanswered
from flows.stats.proportions import agresti_coull, pass_rate
from flows.stats.repeats import Steadiness, steadiness
from flows.stats.score_interval import interval


def test_nothing_scored_is_no_rate_and_not_zero():
    found = pass_rate([[], []])
    assert (found.n_examples, found.rate, found.low, found.high) == (0, None, None, None)


def test_an_example_without_answers_is_left_out():
    assert pass_rate([[1.0], [], [0.0]]).n_examples == 2


def test_agresti_and_coull_is_the_interval_of_the_textbook():
    # Of 0 of 20: 2 added passes and failures give 1.9207 of 23.8415; half the width is 1.96 sqrt(0.0741 / 23.8415).
    assert agresti_coull(np.array([0.0]), np.array([20])) == (0, pytest.approx(0.18980, abs=1e-4))
    # Wilson's centre: Newcombe (1998, Statistics in Medicine 17:857), table I, 81 of 263.
    assert sum(agresti_coull(np.array([81 / 263]), np.array([263]))) == pytest.approx(0.2553 + 0.3662, abs=2e-4)


def test_repeats_that_never_differ_add_no_evidence():
    once = pass_rate([[1.0]] * 30 + [[0.0]] * 20)
    thrice = pass_rate([[1.0] * 3] * 30 + [[0.0] * 3] * 20)
    assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high))


def test_repeats_that_differ_within_examples_add_evidence():
    once, thrice = pass_rate([[1.0], [0.0]] * 20), pass_rate([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]] * 20)
    assert thrice.high - thrice.low < once.high - once.low


def test_the_repeats_of_a_single_example_are_worth_one_answer():
    once, often = pass_rate([[1.0]]), pass_rate([[1.0] * 5])
    assert (often.low, often.high, often.n_answers) == (once.low, once.high, 5)


@pytest.mark.parametrize(
    ("n", "repeats", "passes"), [(10, 3, 24), (50, 5, 225), (200, 3, 570), (20, 5, 70), (10, 3, 27)]
)
def test_a_rate_is_not_below_itself_for_the_last_bits_of_a_mean(n, repeats, passes):
    rng = np.random.default_rng(6)
    answers = np.array([1.0] * passes + [0.0] * (n * repeats - passes))
    rates = {pass_rate([*map(list, rng.permutation(answers).reshape(n, repeats))]).rate for _ in range(50)}
    assert rates == {round(passes / (n * repeats), 3)}


def test_a_comparison_without_common_examples_is_nothing():
    assert compare({"a": [1.0]}, {"b": [1.0]}) == NOTHING
    assert compare({"a": [1.0]}, {"a": []}) == NOTHING


def test_one_example_has_a_delta_and_no_interval():
    found = compare({"a": [1.0]}, {"a": [0.0]})
    assert (found.delta, found.low, found.p_value, found.n_regressed) == (-1, None, None, 1)


def test_beside_the_pinned_model_itself_a_lower_mean_is_regressed_and_a_higher_one_repaired():
    candidate = {
        "lost": [0.0, 0.0],
        "mostly lost": [0.5, 0.5, 0.0],
        "tied": [0.5, 0.5],
        "evened": [0.0, 1.0],
        "won": [1],
    }
    pinned = {key: [0.5] * len(scores) for key, scores in candidate.items()}
    found = compare(pinned, candidate, by_mean=True)
    assert (found.n_regressed, found.n_repaired) == (2, 1)
    alone = compare({"a": [0.5]}, {"a": [0.0]}, by_mean=True)
    assert (alone.n_regressed, alone.n_repaired) == (1, 0)


def _likely_variance(up, down, n, mean):
    """The variance of a difference of -1, 0 or 1 under its likeliest chances with that mean, by search."""

    def chances(of_down):
        return np.array([of_down + mean, of_down, 1 - 2 * of_down - mean])

    def unlikely(of_down):
        return -float(xlogy([up, down, n - up - down], np.maximum(chances(of_down), 0)).sum())

    bounds = max(0.0, -mean), (1 - mean) / 2
    of_down = minimize_scalar(unlikely, bounds=bounds, method="bounded", options={"xatol": 1e-10}).x
    return 2 * of_down + mean - mean**2


@pytest.mark.parametrize(("up", "down", "n"), [(1, 4, 10), (0, 0, 30), (0, 6, 40), (12, 3, 30), (7, 7, 1000)])
def test_the_ends_of_the_interval_are_where_the_score_test_just_refuses(up, down, n):
    differences = np.array([1.0] * up + [-1.0] * down + [0.0] * (n - up - down))
    found = interval(differences, is_binary=True)
    for end in (found.low, found.high):
        error = np.sqrt(_likely_variance(up, down, n, end) / (n - 1))
        assert abs(differences.mean() - end) / error == pytest.approx(1.959964, rel=1e-3)


def test_all_of_a_few_examples_regressed_is_no_proof():
    def regressed(n):
        return compare({str(key): [1.0] for key in range(n)}, {str(key): [0.0] for key in range(n)})

    assert regressed(4).p_value > 0.05
    assert regressed(6).p_value < 0.05


def test_nothing_seen_to_differ_still_leaves_room_for_what_was_not_seen():
    same = {str(n): [1.0] * 3 for n in range(100)}
    found = compare(same, same)
    assert found.high == pytest.approx(0.037, abs=2e-3)
    assert found.low == pytest.approx(-found.high)


@pytest.mark.parametrize(("n", "most"), [(50, 20), (400, 3), (4000, 1.2)])
def test_many_fractions_are_as_sure_as_students_t_says_and_few_leave_room_for_the_unseen(n, most):
    rng = np.random.default_rng(1)
    old, shift = rng.random(n) / 2, rng.normal(0.3, 0.05, n)
    found = compare(*({str(key): [score] for key, score in enumerate(scores)} for scores in (old, old + shift)))
    plain = stats.ttest_1samp(shift, 0).confidence_interval()
    assert found.high - found.low < most * (plain.high - plain.low)
    assert found.low <= plain.low + 1e-9
    assert plain.high <= found.high + 1e-9


def test_a_fall_of_every_score_is_found_though_every_answer_passes():
    fallen = compare({str(n): [0.95] for n in range(24)}, {str(n): [0.55] for n in range(24)}, by_mean=True)
    assert fallen.delta == pytest.approx(-0.4)
    assert fallen.high < 0
    assert (fallen.p_value < 1e-3, fallen.n_regressed) == (True, 24)


def test_small_differences_alone_do_not_rule_out_a_rare_large_one():
    rng = np.random.default_rng(3)
    low, high = bounded_mean.ends(rng.normal(0, 0.001, 30))
    assert low < -0.06
    assert high > 0.06
    # The likeliest distribution with the mean m, of which 30 values are 0, has the mass m at 1: 30 log(1 - m).
    _, high = bounded_mean.ends(np.zeros(30))
    assert 30 * np.log1p(-high) == pytest.approx(-(stats.t.ppf(0.975, 29) ** 2) / 2)


def test_where_the_pinned_model_has_half_a_point_by_definition_less_is_possible():
    ties = {str(n): [0.5] for n in range(30)}
    assert compare(ties, ties, reach=0.5).low == pytest.approx(compare(ties, ties).low / 2, rel=0.05)


def test_an_open_answer_of_an_example_counts_like_an_unanswered_example():
    pinned = {"a": [1.0], "b": [1.0, 1.0], "c": [1.0], "d": [1.0]}
    candidate = {"a": [1.0], "b": [1.0], "c": [1.0]}
    found = compare(pinned, candidate)
    bounds = if_unanswered(pinned, candidate, {"b": 1}, found, compare)
    assert bounds.n == 2
    assert bounds.low == compare(pinned, {**candidate, "b": [1.0, 0.0], "d": [0.0]}).low
    assert if_unanswered({}, {}, {}, NOTHING, compare) == Unanswered(0, None, None)


def test_how_much_of_the_error_more_repeats_would_lessen():
    def drawn(agreement):
        rng = np.random.default_rng(2)
        pinned, candidate = (
            {str(n): list(np.where(rng.random(4) < agreement, first, rng.random(4) < 0.5) * 1.0) for n in range(400)}
            for first in (0.0, 1.0)
        )
        return compare(pinned, candidate)

    once = compare({"a": [1.0], "b": [0.0], "c": [1.0]}, {"a": [1.0], "b": [1.0], "c": [1.0]})
    assert once.repeat_share is None
    assert compare({"a": [1, 1], "b": [0, 0], "c": [1, 1]}, {"a": [1, 1], "b": [1, 1], "c": [1, 1]}).repeat_share == 0
    assert drawn(0.0).repeat_share > 0.85


def test_a_difference_as_large_as_the_detectable_one_would_mostly_be_found():
    small = compare({str(n): [n % 2] for n in range(40)}, {str(n): [n % 3 == 0] for n in range(40)})
    large = compare({str(n): [n % 2] for n in range(400)}, {str(n): [n % 3 == 0] for n in range(400)})
    assert 0 < large.minimum_detectable < small.minimum_detectable <= 1


def test_what_fails_once_in_five_is_flaky_and_counts_against_pass_hat_k_alone():
    found = steadiness([[1.0] * 5, [1.0, 1.0, 0.0, 1.0, 1.0], [0.0] * 5, [0.0] * 5], 5)
    assert (found.n_flaky, found.all_pass, found.any_passes) == (1, 0.25, 0.5)
    assert found.spread == pytest.approx(np.sqrt(0.8 / 16))


def test_half_a_point_is_a_pass_as_it_is_where_answers_are_scored():
    found = steadiness([[0.5, 0.5], [1.0, 0.5], [0.5, 0.0], [0.0, 0.0]], 2)
    assert (found.n_flaky, found.all_pass, found.any_passes) == (1, 0.5, 0.75)


def test_an_example_with_unscored_repeats_tells_nothing_of_all_k():
    assert steadiness([[1.0], [], [0.0]], 2) == Steadiness(0, None, None, None)

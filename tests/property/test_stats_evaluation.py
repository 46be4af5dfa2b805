"""Properties that intervals, comparisons and q-values must have whatever the data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from flows.stats.fdr import q_values
from flows.stats.paired import compare, if_unanswered
from flows.stats.proportions import pass_rate
from tests.bench.coverage import SPARSE, differences_of_pass_fail, differences_of_scores, pass_rates, score_ends

METHODS = {"score": score_ends}

repeats = st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=4)
arms = st.lists(st.tuples(repeats, repeats), min_size=2, max_size=40)


def _named(answers):
    return {str(number): scores for number, scores in enumerate(answers)}


@settings(deadline=None)
@given(st.lists(repeats, min_size=2, max_size=40))
def test_a_model_against_itself_has_a_delta_of_zero_inside_its_interval(answers):
    found = compare(_named(answers), _named(answers))
    assert found.delta == 0
    assert found.low < 0 < found.high
    assert found.p_value == 1
    assert (found.n_regressed, found.n_repaired) == (0, 0)


@settings(deadline=None)
@given(arms)
def test_swapping_the_arms_negates_the_comparison(pairs):
    pinned, candidate = (_named(side) for side in zip(*pairs, strict=True))
    there, back = compare(pinned, candidate), compare(candidate, pinned)
    assert back.delta == pytest.approx(-there.delta)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert back.p_value == pytest.approx(there.p_value)
    assert (back.n_regressed, back.n_repaired) == (there.n_repaired, there.n_regressed)


@settings(max_examples=40, deadline=None)
@given(arms, st.randoms())
def test_the_order_of_examples_and_repeats_does_not_matter(pairs, random):
    pinned, candidate = (_named(side) for side in zip(*pairs, strict=True))
    keys = random.sample(list(pinned), len(pinned))
    shuffled = [{key: random.sample(side[key], len(side[key])) for key in keys} for side in (pinned, candidate)]
    assert compare(*shuffled) == compare(pinned, candidate)
    again, before = pass_rate(list(shuffled[0].values())), pass_rate(list(pinned.values()))
    assert (again.rate, again.low, again.high) == pytest.approx((before.rate, before.low, before.high))


@settings(deadline=None)
@given(arms)
def test_the_p_value_and_the_interval_agree(pairs):
    found = compare(*(_named(side) for side in zip(*pairs, strict=True)))
    assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)


@settings(deadline=None)
@given(st.lists(repeats, min_size=1, max_size=40))
def test_a_pass_rate_lies_in_its_interval_and_in_zero_to_one(answers):
    found = pass_rate(answers)
    assert 0 <= found.low <= found.rate <= found.high <= 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_q_values_are_those_of_scipy(p_values):
    assert q_values(p_values) == pytest.approx(list(false_discovery_control(p_values)))


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=30))
def test_an_unknown_p_value_stays_unknown_and_counts_for_nothing(p_values):
    found = q_values(p_values)
    assert [q is None for q in found] == [p is None for p in p_values]
    assert [q for q in found if q is not None] == q_values([p for p in p_values if p is not None])


def _covered(cells):
    covered = np.array([cell.covered for cell in cells])
    return covered.mean(), covered.min()


def test_intervals_of_differences_hold_the_truth_about_as_often_as_they_say():
    grid = differences_of_pass_fail(np.random.default_rng(3), 400, METHODS, sizes=(30, 100), repeats=(1, 3))
    cells = [found["score"] for found in grid]
    mean, least = _covered(cell for cell in cells if cell.expected < SPARSE)
    assert mean > 0.95
    assert least > 0.92  # of 400 trials at 95 % one in 300 cells
    mean, least = _covered(cell for cell in cells if cell.expected >= SPARSE)
    assert 0.94 < mean < 0.965
    assert least > 0.90


def test_intervals_of_differences_of_scores_hold_the_truth_at_least_as_often_as_they_say():
    grid = differences_of_scores(np.random.default_rng(4), 500, METHODS, sizes=(5, 10, 30, 100))
    mean, least = _covered(found["score"] for found in grid)
    assert mean > 0.95
    assert least > 0.92  # of 500 trials at 95 % one in 1,000 cells


scores = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 0.95, 1.0])), min_size=1, max_size=3)
graded_arms = st.lists(st.tuples(scores, scores), min_size=2, max_size=30)


@settings(deadline=None)
@given(graded_arms)
def test_graded_comparisons_lie_in_their_interval_agree_with_their_p_value_and_swap(pairs):
    pinned, candidate = (_named(side) for side in zip(*pairs, strict=True))
    found, back = compare(pinned, candidate, by_mean=True), compare(candidate, pinned, by_mean=True)
    assert -1 <= found.low <= found.delta + 1e-9
    assert found.delta - 1e-9 <= found.high <= 1
    if not (abs(found.low) < 1e-6 or abs(found.high) < 1e-6):  # bisection ends there
        assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)
    assert (back.low, back.high) == pytest.approx((-found.high, -found.low), abs=1e-6)
    assert back.p_value == pytest.approx(found.p_value, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(arms, st.data())
def test_what_is_unanswered_only_widens_and_its_bounds_are_reached_by_the_worst_and_the_best_answers(pairs, data):
    pinned, candidate = (_named(side) for side in zip(*pairs, strict=True))
    gone = data.draw(st.sets(st.sampled_from(sorted(pinned))))
    known = {key: value for key, value in candidate.items() if key not in gone}
    found = compare(pinned, known)
    bounds = if_unanswered(pinned, known, {key: len(candidate[key]) for key in gone}, found, compare)
    assert bounds.n == len(gone)
    for score in (0.0, 1.0):
        told = compare(pinned, {**known, **{key: [score] * len(candidate[key]) for key in gone}})
        assert bounds.low <= told.low
        assert told.high <= bounds.high
    assert found.low is None or bounds.low <= found.low


def test_intervals_of_pass_rates_hold_the_truth_about_as_often_as_they_say():
    mean, least = _covered(pass_rates(np.random.default_rng(5), 400))
    assert 0.94 < mean < 0.97
    assert least > 0.90

"""A judge compared with its own past: what holds for any verdicts."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import binom

from flows.stats.anchor_change import FEWEST_NIGHTS, verdict_change


def change(verdicts, labels=None):
    verdicts = np.asarray(verdicts, np.int64)
    labels = np.ones(verdicts.shape[1]) if labels is None else labels
    return verdict_change(verdicts, np.ones_like(verdicts), labels)


def noisy(rng, nights, rates):
    return (rng.random((nights, len(rates))) < rates).astype(np.int64)


def test_a_judge_that_always_says_the_same_has_not_changed():
    found = change(np.tile([1, 0, 1, 1], (12, 1)), np.array([1, 0, 0, 1]))
    assert (found.p_value, found.unlike, found.unlike_before) == (1.0, 0.0, 0.0)
    assert (found.agreement, found.agreement_before) == (0.75, 0.75)


def test_without_enough_nights_nothing_is_said_but_how_often_it_agrees_with_people():
    found = change(np.ones((FEWEST_NIGHTS, 70)))
    assert (found.agreement, found.agreement_before, found.unlike, found.p_value) == (1.0, None, None, None)
    assert change(np.ones((FEWEST_NIGHTS + 1, 70))).p_value == 1.0


def test_verdicts_that_all_turn_on_one_night_have_the_probability_of_that_by_chance():
    """Each of 6 answers had one odd verdict in 12 nights: that all were on the last has the probability 12^-6."""
    verdicts = np.ones((12, 20))
    verdicts[-1, :6] = 0
    found = change(verdicts)
    assert found.p_value == pytest.approx(2 * 12.0**-6, rel=1e-9)  # the night alone has half of the alpha
    assert (found.window_nights, found.unlike, found.unlike_before, found.agreement) == (1, 0.3, 0.0, 0.7)


@given(st.integers(0, 2**32 - 1), st.integers(4, 20), st.integers(2, 30))
@example(3080, 14, 5)  # nights that vary exactly as chance says, but for rounding
def test_a_p_value_is_one_whatever_is_called_passed_and_in_whatever_order_answers_are(seed, nights, answers):
    rng = np.random.default_rng(seed)
    verdicts = noisy(rng, nights, rng.random(answers))
    labels = rng.integers(0, 2, answers)
    found = change(verdicts, labels)
    order = rng.permutation(answers)
    assert found.p_value is not None
    assert 0 < found.p_value <= 1
    turned, mixed = change(1 - verdicts, 1 - labels), change(verdicts[:, order], labels[order])
    for other in (turned, mixed):
        assert other.p_value == pytest.approx(found.p_value)
        assert (other.agreement, other.unlike) == pytest.approx((found.agreement, found.unlike))


@given(st.integers(0, 2**32 - 1), st.integers(4, 15), st.integers(2, 30))
def test_answers_that_were_not_graded_before_say_nothing(seed, nights, answers):
    rng = np.random.default_rng(seed)
    verdicts = noisy(rng, nights, rng.random(answers))
    graded = np.ones((nights, 2 * answers), np.int64)
    graded[:-1, answers:] = 0
    wider = np.hstack([verdicts, noisy(rng, nights, np.full(answers, 0.5))]) * graded
    found = verdict_change(wider, graded, np.ones(2 * answers))
    assert found.p_value == pytest.approx(change(verdicts).p_value)
    assert found.n_items == 2 * answers


@pytest.mark.parametrize("flips", [0.02, 0.1, 0.4])
def test_a_judge_that_contradicts_itself_makes_no_more_alarms_than_p_values_say(flips):
    rng, trials, alpha = np.random.default_rng(1), 300, 0.05
    rates = np.where(np.arange(60) % 2, flips, 1 - flips)
    low = sum(change(noisy(rng, 20, rates)).p_value <= alpha for _ in range(trials))
    assert low <= binom.ppf(0.999, trials, alpha)


def test_nights_that_differ_as_wholes_make_hardly_more():
    """Each night has its own rate of flips; the exact distribution alone would take a bad night for a change."""
    rng, trials = np.random.default_rng(2), 300
    low = 0
    for _ in range(trials):
        of_night = 0.05 * np.exp(0.7 * rng.standard_normal((25, 1)))
        verdicts = (rng.random((25, 200)) >= of_night).astype(np.int64)
        low += change(verdicts).p_value <= 0.001
    assert low <= 0.03 * trials


def test_a_small_loss_that_lasts_is_seen_better_over_several_nights():
    rng = np.random.default_rng(3)
    rates = np.full(200, 0.95)
    worse = rates.copy()
    worse[:8] = 0.05
    verdicts = np.vstack([noisy(rng, 28, rates), noisy(rng, 7, worse)])
    week, first = change(verdicts[-29:]), change(verdicts[:29])
    assert week.p_value < first.p_value
    assert week.window_nights > 1
    assert week.agreement < week.agreement_before - 0.02

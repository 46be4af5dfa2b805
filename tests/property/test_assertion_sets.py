"""Assertions are chosen within the limit, and their cross-fitted figures are those of choosing without the fold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from flows.stats.assertion_sets import (
    FOLDS,
    Family,
    Labels,
    choose,
    cross_fitted,
    distinct,
    effective_number,
    folds_of,
    greedy,
    rates_of,
    upper_limit,
)
from tests.bench.suggest import LIMIT, results


def labelled(seed: int, n: int, k: int) -> tuple[np.ndarray, Labels]:
    rng = np.random.default_rng(seed)
    is_bad = rng.random(n) < 0.4
    fails = rng.random((n, k)) < np.where(is_bad[:, None], rng.uniform(0.2, 0.9, k), rng.uniform(0, 0.2, k))
    return fails, Labels(is_bad, rng.uniform(1, 4, n))


worlds = st.builds(labelled, st.integers(0, 10_000), st.integers(20, 120), st.integers(1, 8))


@given(st.integers(0, 50), st.integers(1, 200))
def test_the_upper_limit_is_wilsons(count: int, more: int) -> None:
    n = count + more
    expected = binomtest(count, n).proportion_ci(confidence_level=0.9, method="wilson").high
    assert float(upper_limit(count / n, n)) == pytest.approx(expected)


@given(worlds, st.floats(0.05, 0.5))
def test_the_chosen_set_is_within_the_limit_and_each_step_covers_more(
    world: tuple[np.ndarray, Labels], limit: float
) -> None:
    fails, labels = world
    chosen = greedy(fails, labels, limit)
    covered = 0.0
    for size in range(1, len(chosen) + 1):
        found = rates_of(fails[:, list(chosen[:size])].any(1), labels)
        assert found.false_failure_high is not None
        assert found.false_failure_high <= limit + 1e-9
        assert found.coverage is None or found.coverage > covered
        covered = found.coverage or covered
    assert len(set(chosen)) == len(chosen)


@given(worlds)
def test_the_scale_of_weights_and_the_order_of_answers_do_not_matter(world: tuple[np.ndarray, Labels]) -> None:
    fails, labels = world
    order = np.random.default_rng(1).permutation(len(fails))
    turned = Labels(labels.is_bad[order], 8 * labels.weight[order])
    assert greedy(fails, labels, 0.3) == greedy(fails[order], turned, 0.3)


@given(worlds)
@settings(max_examples=25)
def test_cross_fitted_figures_are_those_of_the_set_that_was_chosen_without_the_fold(
    world: tuple[np.ndarray, Labels],
) -> None:
    fails, labels = world
    fold = folds_of(labels.is_bad, np.arange(len(fails)))
    families = [Family(fails[:, [k]], labels.is_bad) for k in range(fails.shape[1])]
    found = cross_fitted(families, labels, 0.3, fold)
    together = np.zeros(len(fails), bool)
    for number in range(FOLDS):
        kept = fold != number
        rest = Labels(labels.is_bad[kept], labels.weight[kept])
        chosen = greedy(fails[kept], rest, 0.3, stretch=len(fails) / kept.sum())
        together[~kept] = fails[~kept][:, list(chosen)].any(1)
    assert found.of_set == rates_of(together, labels)
    assert found.of_each == tuple(rates_of(fails[:, k], labels) for k in range(len(families)))
    assert found.choice == choose(families, labels, 0.3)


@given(st.lists(st.booleans(), min_size=FOLDS, max_size=60))
def test_bad_and_good_labels_are_spread_evenly_over_the_folds(is_bad: list[bool]) -> None:
    flags = np.array(is_bad)
    fold = folds_of(flags, np.random.default_rng(len(is_bad)).permutation(len(is_bad)))
    for kind in (flags, ~flags):
        counts = np.bincount(fold[kind], minlength=FOLDS)
        assert counts.max() - counts.min() <= 1


def test_of_a_family_the_variant_with_most_coverage_within_the_limit_is_chosen() -> None:
    is_bad = np.arange(100) < 40
    broad, narrow, wild = np.arange(100) < 30, np.arange(100) < 10, np.arange(100) < 60
    family = Family(np.stack([narrow, broad, wild], 1), is_bad)
    found = choose([family], Labels(is_bad, np.ones(100)), 0.1)
    assert (found.variants, found.chosen) == ((1,), (0,))


def test_equal_verdicts_are_one_assertion() -> None:
    one, other = np.array([True, False, True]), np.array([True, True, False])
    assert distinct(np.stack([one, other, one, other], 1)) == (0, 1)


def test_of_equal_weights_all_count_and_without_labels_there_are_no_rates() -> None:
    assert effective_number(np.full(7, 3.0)) == pytest.approx(7)
    nothing = rates_of(np.ones(2, bool), Labels(np.ones(2, bool), np.ones(2)))
    assert (nothing.coverage, nothing.false_failure_rate, nothing.false_failure_high) == (1.0, None, None)


def test_in_simulated_worlds_the_figures_are_honest_and_the_limit_mostly_holds() -> None:
    """The benchmark with fewer worlds: its goals with room for their noise."""
    rows = dict(results(100, 60))["greedy, upper limit, cross-fitted"]
    said_coverage, said_false, coverage, false = rows.mean(0)
    assert abs(said_coverage - coverage) < 0.04
    assert abs(said_false - false) < 0.03
    assert (rows[:, 3] > LIMIT).mean() < 0.4

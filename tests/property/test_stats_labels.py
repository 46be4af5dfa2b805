"""Properties of what is computed from people's labels, whatever the counts, and the same by other ways."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import beta, binom, binomtest
from sklearn.metrics import cohen_kappa_score

from flows.stats.agreement import agreement_of
from flows.stats.binomial_limits import effective, mid_p, wilson
from flows.stats.judge_accuracy import effective_labels, least_youden, share_of_first, true_rates
from flows.stats.label_measures import accuracy, day_rate, rate_of_labels_alone, too_few, window_rate
from flows.stats.label_strata import VERDICTS, Label, Strata, verdict_of
from flows.stats.proportions import agresti_coull
from flows.stats.stratified_rate import Estimate, failure_rate, weighted_sum
from flows.stats.true_prevalence import rogan_gladen
from tests.bench import label_rates

counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
real_counts = st.floats(0.1, 500).flatmap(lambda n: st.tuples(st.floats(0, n), st.just(n)))


def _array(*numbers: float) -> np.ndarray:
    return np.array(numbers, dtype=float)


@settings(deadline=None)
@given(counts)
def test_mid_p_limits_are_those_of_the_summed_probabilities(pair):
    hits, n = pair
    low, high = (float(end[0]) for end in mid_p(_array(hits), _array(n)))

    def above(proportion: float) -> float:
        return float(binom.sf(hits, n, proportion) + binom.pmf(hits, n, proportion) / 2)

    assert low == pytest.approx(0.0 if hits == 0 else brentq(lambda p: above(p) - 0.025, 0, 1), abs=1e-7)
    assert high == pytest.approx(1.0 if hits == n else brentq(lambda p: above(p) - 0.975, 0, 1), abs=1e-7)


@settings(deadline=None)
@given(real_counts)
def test_mid_p_limits_of_effective_counts_hold_the_rate_and_mirror(pair):
    hits, n = pair
    low, high = mid_p(_array(hits), _array(n))
    assert 0 <= low[0] <= hits / n <= high[0] <= 1
    mirrored = mid_p(_array(n - hits), _array(n))
    assert (1 - mirrored[1][0], 1 - mirrored[0][0]) == pytest.approx((low[0], high[0]), abs=1e-6)


@settings(deadline=None)
@given(counts, st.floats(1.05, 4))
def test_more_labels_with_the_same_rate_never_widen_mid_p_limits(pair, factor):
    hits, n = pair
    low, high = mid_p(_array(hits, factor * hits), _array(n, factor * n))
    assert high[1] - low[1] <= high[0] - low[0] + 1e-7


@given(counts)
def test_wilsons_interval_is_that_of_scipy(pair):
    hits, n = pair
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert tuple(end[0] for end in wilson(_array(hits), _array(n))) == pytest.approx(tuple(expected))


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=30))
def test_effective_labels_are_at_most_the_labels_and_all_of_them_with_equal_weights(weights):
    w = np.array(weights)
    assert 1 - 1e-9 <= float(effective(w.sum(), (w**2).sum())) <= len(w) + 1e-9
    assert float(effective(w[0] * 7, w[0] ** 2 * 7)) == pytest.approx(7)


strata = st.lists(
    st.tuples(st.integers(1, 5000), st.integers(0, 40)).flatmap(
        lambda pair: st.tuples(st.just(pair[0]), st.just(pair[1]), st.integers(0, pair[1]))
    ),
    min_size=1,
    max_size=8,
)


@settings(deadline=None)
@given(strata)
def test_a_rate_of_strata_lies_in_its_interval_whatever_their_order(given):
    sizes, n, failures = np.array(given, dtype=float).T
    found = failure_rate(sizes, n, failures)
    assert 0 <= found.low <= found.value <= found.high <= 1
    again = failure_rate(sizes[::-1], n[::-1], failures[::-1])
    assert (again.value, again.low, again.high) == pytest.approx((found.value, found.low, found.high))
    good = failure_rate(sizes, n, n - failures)
    if n.any():
        assert (good.value, good.low, good.high) == pytest.approx(
            (1 - found.value, 1 - found.high, 1 - found.low), abs=1e-6
        )


@settings(deadline=None)
@given(strata, st.integers(1, 5000))
def test_a_stratum_without_labels_widens_by_its_share_at_least(given, size):
    sizes, n, failures = np.array(given, dtype=float).T
    found = failure_rate(np.append(sizes, size), np.append(n, 0), np.append(failures, 0))
    share = size / (sizes.sum() + size)
    assert found.high - found.low >= share - 1e-9


@settings(deadline=None)
@given(counts)
def test_one_stratum_has_its_own_mid_p_limits(pair):
    hits, n = (_array(number) for number in pair)
    low, high = mid_p(hits, n)
    found = failure_rate(_array(1e12), n, hits)
    assert (found.low, found.high) == pytest.approx((low[0], high[0]), abs=1e-5)
    of_sum = weighted_sum(_array(1.0), n, hits)
    assert (of_sum.low, of_sum.high) == pytest.approx((low[0], high[0]), abs=1e-12)


thousandths = st.integers(0, 1000).map(lambda number: number / 1000)
parts = st.tuples(thousandths, thousandths, thousandths).map(lambda ends: Estimate(
    *(np.float64(number) for number in (sorted(ends)[1], sorted(ends)[0], sorted(ends)[2]))
))  # fmt: skip


@given(parts, parts)
def test_limits_of_a_ratio_are_where_those_of_a_difference_meet_zero(first, second):
    assume(first.value + second.value > 0)
    found = share_of_first(first, second)
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value <= found.high + 1e-12
    for end, one, other in ((found.low, first.low, second.high), (found.high, first.high, second.low)):
        difference = (1 - end) * first.value - end * second.value
        reach = np.hypot((1 - end) * (first.value - one), end * (other - second.value))
        assert abs(difference) == pytest.approx(reach, abs=1e-6)


@settings(deadline=None)
@given(strata, strata)
def test_the_two_rates_of_a_judge_turn_into_each_other_with_the_verdicts(failed, passed):
    given = np.array([*failed, *passed], dtype=float)
    is_failed = np.array([True] * len(failed) + [False] * len(passed))
    sizes, n, failures = given.T
    shares = sizes / sizes.sum()
    tpr, tnr = true_rates(sizes, n, failures, is_failed)
    turned_tnr, turned_tpr = true_rates(sizes, n, n - failures, ~is_failed)
    for one, other in ((tpr, turned_tpr), (tnr, turned_tnr)):
        assert np.allclose([one.value, one.low, one.high], [other.value, other.low, other.high], equal_nan=True)
    if not np.isnan(tpr.value + tnr.value):
        assert least_youden(tpr, tnr) <= tpr.value + tnr.value - 1
    n_tpr, n_tnr = effective_labels(shares, n, failures)
    assert n_tpr <= failures.sum() + 1e-6
    assert n_tnr <= (n - failures).sum() + 1e-6


def test_labels_of_equal_weight_count_as_many_as_they_are():
    n, failures = _array(30, 60), _array(20, 3)
    assert effective_labels(n / 90, n, failures) == pytest.approx((23, 67))
    tpr, tnr = true_rates(n, n, failures, np.array([True, False]))
    assert (tpr.value, tnr.value) == pytest.approx((20 / 23, 57 / 67))


def corrected(failed: float, n: float, tpr: tuple[float, float], tnr: tuple[float, float]) -> Estimate:
    """Rogan and Gladen's rate; TPR and TNR each with its number of labels."""
    named = dict(zip(("tpr", "n_tpr", "tnr", "n_tnr"), (_array(number) for number in (*tpr, *tnr)), strict=True))
    return rogan_gladen(_array(failed), _array(n), **named)


@given(st.integers(0, 500))
def test_a_judge_that_is_always_right_leaves_agresti_and_coulls_interval(failed):
    found = corrected(failed, 500, (1, 1e12), (1, 1e12))
    low, high = agresti_coull(_array(failed / 500), _array(500))
    assert (found.value[0], found.low[0], found.high[0]) == pytest.approx((failed / 500, low[0], high[0]), abs=1e-6)


@given(counts, st.floats(0.6, 1), st.floats(0.6, 1), st.floats(5, 800), st.floats(5, 800))
def test_a_corrected_rate_lies_in_its_interval_and_mirrors(pair, tpr, tnr, n_tpr, n_tnr):
    failed, n = pair
    found = corrected(failed, n, (tpr, n_tpr), (tnr, n_tnr))
    assert 0 <= found.low[0] <= found.value[0] <= found.high[0] <= 1
    good = corrected(n - failed, n, (tnr, n_tnr), (tpr, n_tpr))
    assert (1 - good.value[0], 1 - good.high[0], 1 - good.low[0]) == pytest.approx(
        (found.value[0], found.low[0], found.high[0]), abs=1e-9
    )


def test_verdicts_by_chance_say_nothing():
    assert np.isnan(corrected(5, 50, (0.4, 50), (0.6, 50)).low[0])


tables = st.lists(st.integers(0, 40), min_size=4, max_size=4).filter(lambda cells: sum(cells) > 0)


@settings(deadline=None, max_examples=50)
@given(tables)
def test_agreement_is_that_of_scikit_learn_and_of_counting(cells):
    table = np.array(cells).reshape(2, 2)
    first = np.repeat([0, 0, 1, 1], cells)
    second = np.repeat([0, 1, 0, 1], cells)
    found = agreement_of(table)
    assert found.agreement.value == pytest.approx((first == second).mean())
    passes = np.concatenate([first, second]).mean()
    chance = 2 * passes * (1 - passes)
    assert found.ac1.value == pytest.approx(((first == second).mean() - chance) / (1 - chance))
    if len({*first, *second}) > 1:
        assert found.kappa.value == pytest.approx(cohen_kappa_score(first, second))
    else:
        assert np.isnan([found.kappa.value, found.kappa.low, found.kappa.high]).all()


@settings(deadline=None, max_examples=50)
@given(tables)
def test_the_interval_of_agreement_is_the_beta_posterior_and_holds_the_value(cells):
    found = agreement_of(np.array(cells).reshape(2, 2)).agreement
    posterior = beta(cells[0] + cells[3] + 1, cells[1] + cells[2] + 1)
    low, high = posterior.ppf(0.025), posterior.ppf(0.975)
    assert found.low == pytest.approx(min(low, found.value), abs=0.02)
    assert found.high == pytest.approx(max(high, found.value), abs=0.02)


@settings(deadline=None, max_examples=30)
@given(tables, tables)
def test_a_table_has_the_same_agreement_alone_and_beside_others(one, other):
    alone = agreement_of(np.array(one).reshape(2, 2)).ac1
    beside = agreement_of(np.array([other, one]).reshape(2, 2, 2)).ac1
    assert (float(alone.value), float(alone.low)) == (float(beside.value[1]), float(beside.low[1]))


@pytest.mark.parametrize("draw", ["finding", "rates"])
def test_rates_and_accuracy_hold_the_truth_about_as_often_as_they_say(draw):
    rng, trials = np.random.default_rng(6), 400
    for rate, right in ((0.02, 0.9), (0.3, 0.8)):
        strata = label_rates.sample(label_rates.World.of(rate, right), rng, trials, 7, draw)
        every = np.ones(trials, dtype=bool)
        known = accuracy(strata)
        found = [(window_rate(strata), rate), (rate_of_labels_alone(strata), rate), (known.tnr, right)]
        found.append((known.tpr, right))
        for estimate, truth in found:
            is_told = every & ~np.isnan(estimate.value)
            assert label_rates.cell(estimate, truth, is_told).covered > 0.92  # of 400 at 95 % one in 200


def test_a_days_own_rate_holds_the_truth_where_the_rate_moved():
    rng, trials = np.random.default_rng(7), 400
    known = accuracy(label_rates.sample(label_rates.World.of(0.1, 0.9), rng, trials, 28, "finding"))
    failed = rng.binomial(500, 0.3 * 0.9 + 0.7 * 0.1, trials).astype(float)
    found = day_rate(failed, np.full(trials, 500.0), known)
    assert label_rates.cell(found, 0.3, np.ones(trials, dtype=bool)).covered > 0.92


def test_weights_make_up_for_what_is_drawn_more_often():
    world, rng = label_rates.World.of(0.1, 0.9), np.random.default_rng(8)
    strata = label_rates.sample(world, rng, 4000, 7, "finding")
    assert rate_of_labels_alone(strata).value.mean() == pytest.approx(0.1, abs=0.002)
    assert window_rate(strata).value.mean() == pytest.approx(0.1, abs=0.002)


names = st.sampled_from(["plain:fail", "incident:fail", "plain:pass", "costly:pass", "plain:unjudged", "elsewhere"])
labels = st.lists(st.builds(Label, names, st.floats(0.01, 1), st.booleans()), max_size=80)


@settings(deadline=None)
@given(st.dictionaries(names, st.integers(1, 3000), min_size=1), labels)
def test_pooling_keeps_calls_labels_and_verdicts_and_leaves_few_labels_in_no_stratum_but_a_verdicts_only_one(
    sizes, given
):
    strata = Strata.of(sizes, given)
    assert strata.sizes.sum() == sum(sizes.values())
    assert strata.labels.sum() == sum(verdict_of(one.stratum) in map(verdict_of, sizes) for one in given)
    pooled = strata.pooled(10)
    for verdict in VERDICTS:
        where = strata.where(verdict)
        for name in ("sizes", "labels", "weights", "squares", "failed"):
            assert getattr(pooled, name)[where].sum() == pytest.approx(getattr(strata, name)[where].sum())
        left = pooled.labels[where][pooled.labels[where] > 0]
        assert len(left) <= 1 or left.min() >= 10
    assert (pooled.failures <= pooled.n).all()


@given(labels.flatmap(lambda one: st.tuples(st.just(one), st.permutations(one))))
def test_sums_are_the_same_to_the_last_bit_in_any_order_of_the_labels(orders):
    one, other = (Strata.of({"plain:fail": 500, "incident:fail": 9}, order) for order in orders)
    for name in ("labels", "weights", "squares", "failed"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()


@pytest.mark.parametrize(
    ("labels_of", "sizes", "reason"),
    [
        ({"plain:fail": 30, "plain:pass": 29}, {}, "59 labels, 60 are needed"),
        (
            {"plain:fail": 19, "plain:pass": 60},
            {},
            "19 labels of answers that the judge fails, 20 or all 500 are needed",
        ),
        ({"plain:fail": 60, "plain:pass": 1}, {}, "1 label of answers that the judge passes, 20 or all 500 are needed"),
        ({"plain:fail": 19, "plain:pass": 60}, {"plain:fail": 19}, None),
        ({"plain:fail": 12, "incident:fail": 8, "plain:pass": 40}, {}, None),
        ({"plain:unjudged": 60}, {}, None),
    ],
)
def test_what_is_too_little_is_told_in_words(labels_of, sizes, reason):
    given = [Label(name, 0.5, is_failed=False) for name, count in labels_of.items() for _ in range(count)]
    strata = Strata.of(dict.fromkeys(labels_of, 500) | sizes, given)
    assert too_few(strata, 60, 20) == reason

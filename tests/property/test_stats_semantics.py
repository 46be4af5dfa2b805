"""The mathematics of semantics: honest where nothing happened, and awake where something did."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from flows.stats import extremes, scan, topics, two_sample
from flows.stats.neighbours import nearest, of_others, projected, unit


def texts(rng: np.random.Generator, count: int, kinds: int = 20, width: int = 32) -> np.ndarray:
    """Unit vectors around `kinds` centres."""
    centres = rng.normal(size=(kinds, width))
    return unit(centres[rng.integers(0, kinds, count)] + 0.6 * rng.normal(size=(count, width)))


@given(st.integers(2, 60), st.integers(1, 70), st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_the_nearest_are_those_of_a_full_sort(count: int, wanted: int, seed: int) -> None:
    vectors = unit(np.random.default_rng(seed).normal(size=(count, 5)))
    found = nearest(vectors, wanted)
    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -np.inf)
    best = -np.sort(-similar, axis=1)[:, : min(wanted, count - 1)]
    assert np.allclose(np.take_along_axis(similar, found, axis=1), best, atol=1e-5)


@given(st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_every_other_author_is_one_voice_and_nobody_is_their_own_neighbour(seed: int) -> None:
    rng = np.random.default_rng(seed)
    authors = rng.integers(0, 12, 40)
    kept = of_others(nearest(unit(rng.normal(size=(40, 4))), 39), authors, 20)
    for row, places in enumerate(kept):
        others = [authors[place] for place in places if place >= 0]
        assert len(set(others)) == len(others) == len(set(authors) - {authors[row]})
        assert authors[row] not in others


@given(st.integers(2, 400), st.integers(1, 80), st.integers(1, 5), st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_of_equal_texts_the_nearest_are_still_the_nearest(count: int, wanted: int, kinds: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = unit(rng.normal(size=(kinds, 5)))[rng.integers(0, kinds, count)]
    found = nearest(vectors, wanted)
    assert all(len(set(row) - {place}) == min(wanted, count - 1) for place, row in enumerate(found.tolist()))
    similar = vectors @ vectors.T
    np.fill_diagonal(similar, -np.inf)
    best = -np.sort(-similar, axis=1)[:, : min(wanted, count - 1)]
    assert np.allclose(np.take_along_axis(similar, found, axis=1), best, atol=1e-5)


@given(st.integers(0, 2**31))
@settings(max_examples=20, deadline=None)
def test_the_table_of_ratios_is_the_binomial_log_likelihood_ratio(seed: int) -> None:
    rng = np.random.default_rng(seed)
    neighbours = rng.integers(-1, 90, (90, scan.DEEPEST))
    is_current = rng.random(90) < 0.3
    is_current[0] = True
    overall = is_current.mean()
    found = scan.Graph.of(neighbours).ratios(is_current)
    for row, ratios in zip(neighbours[is_current], found, strict=True):
        for size, ratio in zip(scan.SIZES, ratios, strict=True):
            seen = sum(is_current[place] for place in row[:size] if place >= 0)
            law = scipy_stats.binom.logpmf
            expected = law(seen, size, seen / size) - law(seen, size, overall) if seen / size > overall else 0.0
            assert ratio == pytest.approx(expected, abs=1e-9)


def test_texts_that_are_all_the_same_are_no_error() -> None:
    same = unit(np.ones((300, 8)))
    assert projected(same).shape == (300, 1)
    assert topics.find(same, seed=0).radii.max() == pytest.approx(0, abs=1e-5)


def test_a_gumbel_law_is_found_again_and_its_tail_is_scipys() -> None:
    law = extremes.fitted(scipy_stats.gumbel_r.rvs(5, 2, size=20_000, random_state=1))
    assert (law.location, law.scale) == (pytest.approx(5, abs=0.1), pytest.approx(2, abs=0.05))
    for value in (0.0, 5.0, 30.0, 60.0):
        assert law.tail(value) == pytest.approx(scipy_stats.gumbel_r.sf(value, law.location, law.scale), rel=1e-6)


def test_days_that_vary_more_than_permutations_widen_the_law_and_never_narrow_it() -> None:
    law = extremes.Gumbel(0.0, 1.0)
    quiet, wild = [0.5] * 28, list(np.random.default_rng(0).gumbel(2, 3, size=28))
    assert extremes.widened(law, quiet) == law
    assert extremes.widened(law, []) == law
    assert extremes.widened(law, wild).tail(8) > 10 * law.tail(8)


def scanned(vectors: np.ndarray, days: np.ndarray, authors: np.ndarray, seed: int = 0) -> scan.Hotspot:
    graph = of_others(nearest(projected(vectors), 80), days * 1000 + authors, scan.DEEPEST)
    return scan.find(graph, days, days * 1000 + authors, int(days.max()), seed)


@pytest.mark.long
def test_a_quiet_night_is_alarmed_about_as_often_as_its_p_value_says() -> None:
    """Heavy users with matters of their own; 150 nights, of which p is at most 0.1 in 15 by chance."""
    rng, found = np.random.default_rng(3), []
    for _ in range(150):
        centres = rng.normal(size=(20, 32))
        own = rng.integers(0, 20, 60)
        authors = (rng.pareto(1.2, 1500) * 5).astype(int) % 60
        kinds = np.where(rng.random(1500) < 0.3, own[authors], rng.integers(0, 20, 1500))
        vectors = unit(centres[kinds] + 0.6 * rng.normal(size=(1500, 32)))
        found.append(scanned(vectors, np.repeat(np.arange(10), 150), authors).p_value)
    assert sum(p <= 0.1 for p in found) <= 26  # binomial, 0.1 of 150: more in one of 500
    assert min(found) > 1e-5


def test_a_group_that_is_new_is_found_and_a_single_author_is_not() -> None:
    rng = np.random.default_rng(5)
    vectors, days = texts(rng, 1500), np.repeat(np.arange(10), 150)
    authors = rng.integers(0, 60, 1500)
    centre = rng.normal(size=32)
    today = np.flatnonzero(days == 9)[:15]
    vectors[today] = unit(centre + 0.6 * rng.normal(size=(15, 32)))
    authors[today] = np.arange(15)
    found = scanned(vectors, days, authors)
    assert found.p_value < 1e-5
    assert found.middle in today
    authors[today] = 7
    assert scanned(vectors, days, authors).p_value > 1e-3


def test_topics_are_the_planted_groups_and_a_radius_holds_its_members() -> None:
    rng = np.random.default_rng(6)
    centres = rng.normal(size=(6, 32))
    kinds = rng.integers(0, 6, 900)
    vectors = unit(centres[kinds] + 0.4 * rng.normal(size=(900, 32)))
    found = topics.find(vectors, seed=0)
    assert len(found.centres) == 6
    assert {len(np.unique(found.places[kinds == kind])) for kind in range(6)} == {1}
    fresh = unit(centres[0] + 0.4 * rng.normal(size=(500, 32)))
    places, distances = topics.assign(fresh, found.centres)
    assert (distances > found.radii[places]).mean() == pytest.approx(0.01, abs=0.03)
    places, distances = topics.assign(unit(rng.normal(size=(200, 32))), found.centres)
    assert (distances > found.radii[places]).mean() > 0.95


def test_topics_that_shade_into_each_other_are_as_many_as_their_texts_allow() -> None:
    rng = np.random.default_rng(7)
    vectors = unit(1 + rng.normal(size=(900, 32)))
    assert len(topics.find(vectors, seed=0).centres) == 40
    assert len(topics.find(vectors[:320], seed=0).centres) == 15


def test_topics_keep_their_places_when_texts_move_on_and_new_ones_come() -> None:
    rng = np.random.default_rng(8)
    centres = rng.normal(size=(7, 32))

    def texts_of(kinds: list[int], each: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.repeat(kinds, each)
        return unit(centres[labels] + 0.4 * rng.normal(size=(len(labels), 32))), labels

    before, _ = texts_of([0, 1, 2, 3, 4, 5], 100)
    first = topics.find(before, seed=0)
    now, labels = texts_of([1, 2, 3, 4, 5, 6], 100)
    again = topics.find(now, seed=0, start=first.centres)
    earlier, _ = topics.assign(now, first.centres)
    same = topics.matched(again.places, earlier)
    assert len(again.centres) == 6
    assert len(same) == 5
    new = int(np.bincount(again.places[labels == 6]).argmax())
    assert new not in same
    for place, old in same.items():
        assert again.centres[place] @ first.centres[old] > 0.95


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=60))
@settings(deadline=None)
def test_a_match_has_a_third_in_common_and_is_of_one_pair(pairs: list[tuple[int, int]]) -> None:
    places, earlier = np.array(pairs, int).reshape(-1, 2).T
    same = topics.matched(places, earlier)
    assert len(set(same.values())) == len(same)
    for new, old in same.items():
        here, there = places == new, earlier == old
        assert 3 * (here & there).sum() >= (here | there).sum() > 0
    for one in set(places.tolist()):
        if (earlier[places == one] == one).all() and (places[earlier == one] == one).all():
            assert one not in earlier or same[one] == one  # the same members


@pytest.mark.parametrize("days_before", [1, 3, 14, 28])
def test_two_samples_of_one_law_have_honest_p_values(days_before: int) -> None:
    """Days wander, weekends differ, and users are heavy; p at most 0.1 in a tenth of the nights, within chance."""
    rng, found = np.random.default_rng(days_before), []
    wander = 0.0 if days_before < two_sample.MIN_DAYS else 0.1
    for _ in range(200):
        days = np.repeat(np.arange(days_before + 1), 80)
        authors = (rng.pareto(1.2, len(days)) * 5).astype(int) % 60
        own = rng.normal(0, 0.5, (60 * (days_before + 1), 8))
        drifts = rng.normal(0, wander, (days_before + 1, 8)) + 0.2 * (np.arange(days_before + 1) % 7 >= 5)[:, None] * (
            wander > 0
        )
        vectors = unit(1 + drifts[days] + own[days * 60 + authors] + rng.normal(0, 0.5, (len(days), 8)))
        result = two_sample.compare(vectors, days, authors, days_before, seed=1)
        assert result is not None
        assert result.basis == ("resampled" if days_before < two_sample.MIN_DAYS else "history")
        found.append(result.p_value)
    assert 5 <= sum(p <= 0.1 for p in found) <= 36


def test_a_day_that_is_another_is_told_by_its_two_samples() -> None:
    rng = np.random.default_rng(2)
    for count in (3, 14):
        days = np.repeat(np.arange(count + 1), 100)
        vectors = texts(rng, len(days))
        vectors[days == count] = texts(rng, 100)
        result = two_sample.compare(vectors, days, np.arange(len(days)), count, seed=1)
        assert result is not None
        assert result.p_value < 1e-4
    same = two_sample.compare(np.ones((900, 4)), np.repeat(np.arange(9), 100), np.arange(900), 8, seed=1)
    assert same is not None
    assert same.p_value > 0.5
    assert two_sample.compare(vectors, np.zeros(len(vectors), int), days, 0, seed=1) is None

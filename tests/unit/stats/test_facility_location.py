"""The greedy choice of few that stand for all."""

import numpy as np

from flows.stats.facility_location import facility_location

NOTHING = np.zeros(4)


def test_the_one_that_most_are_near_comes_first_and_what_is_covered_adds_nothing() -> None:
    similarity = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.8, 0.9, 0.0], [0.0, 0.0, 1.0]])
    assert facility_location(similarity, NOTHING, 2) == [1, 2]
    assert facility_location(similarity, np.array([0.0, 0.0, 0.0, 1.0]), 3) == [1, 0]
    assert facility_location(similarity, np.ones(4), 3) == []


def test_of_equal_candidates_the_first_is_taken() -> None:
    assert facility_location(np.ones((4, 3)), NOTHING, 3) == [0]

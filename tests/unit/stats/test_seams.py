"""Series whose definition changed are compared with the days since then only."""

from datetime import date, timedelta
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flows.stats.noise import Daily
from flows.stats.seams import since_last_change, version_numbers
from flows.stats.series import series_tests

LAST, N = date(2026, 3, 31), 40


def rows(rate_before: float, rate_after: float, changed: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The sums of a criterion that had another version until `changed` days before the last, and its versions."""
    rng, sums, versions = np.random.default_rng(1), [], []
    for n in range(N, -1, -1):
        key = {"day": LAST - timedelta(days=n), "route": "r", "side": "output", "feature": "criterion:c"}
        total = float(rng.binomial(500, rate_before if n >= changed else rate_after))
        sums.append({**key, "n": 500, "total": total, "total_squares": total, "n_clusters": 500,
                     "cluster_squares": total, "cluster_cross": total, "cluster_sizes": 500.0})  # fmt: skip
        versions.append({**key, "member": "old" if n >= changed else "new", "n": 500})
    return sums, versions


def result(rate_before: float, rate_after: float, changed: int, *, known: bool) -> dict[str, Any]:
    sums, versions = rows(rate_before, rate_after, changed)
    (found,) = series_tests(
        sums, [], [], kinds={}, days=(LAST, LAST), window_days=28, versions=versions if known else ()
    )
    return dict(found)


def test_the_first_day_of_a_version_has_no_p_value_and_without_the_version_it_is_a_step() -> None:
    assert result(0.9, 0.5, 1, known=False)["p_value"] < 1e-6
    assert result(0.9, 0.5, 1, known=True)["p_value"] is None


def test_a_later_day_is_compared_with_the_days_of_its_version() -> None:
    found = result(0.9, 0.5, 15, known=True)
    assert found["n_days"] == 14
    assert abs(found["expected"] - 0.5) < 0.05
    assert found["p_value"] > 0.01


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=20))
def test_what_is_left_are_the_days_of_the_last_version(names: list[str]) -> None:
    key = ("r", "output", "criterion:c")
    start = LAST - timedelta(days=len(names) - 1)
    given_rows = [
        {"day": start + timedelta(days=n), "route": key[0], "side": key[1], "feature": key[2], "member": name, "n": 3}
        for n, name in enumerate(names)
    ]
    numbers = version_numbers(given_rows, [key, ("r", "output", "words")], len(names), start)
    ones = np.ones((2, len(names)))
    left = since_last_change(Daily(*[ones] * 7), numbers)
    assert left.n[0].tolist() == [float(name == names[-1]) for name in names]
    assert left.n[1].all()

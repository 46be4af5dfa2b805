"""A day is judged alike, whatever days are judged with it."""

from datetime import date, timedelta
from typing import Any

from flows.stats.series import series_tests

FIRST = date(2026, 2, 2)
SILENT = range(30, 35)  # days after the first on which nobody called


def counts() -> list[dict[str, Any]]:
    """Eight weeks of two routes, of which one was silent for a while and is silent on the last day."""
    rows = []
    for n in range(57):
        for route, silent in (("steady", False), ("pausing", n in SILENT or n == 56)):
            if not silent:
                calls = 200 + n % 7
                rows.append(
                    {"route": route, "day": FIRST + timedelta(days=n), "n_calls": calls, "cluster_sizes": 2.0 * calls}
                )
    return rows


def judged(first: date, last: date, window_days: int = 28) -> list[dict[str, Any]]:
    rows = series_tests([], [], counts(), kinds={}, days=(first, last), window_days=window_days)
    return [row for row in rows if row["day"] == last]


def test_a_night_and_a_backfill_say_the_same_of_a_day() -> None:
    last = FIRST + timedelta(days=52)  # within the window after the silence
    alone = judged(last, last)
    assert [row["route"] for row in alone] == ["steady", "pausing"]
    assert judged(FIRST + timedelta(days=42), last) == alone


def test_silence_is_seen_with_a_window_that_is_shorter_than_two_weeks() -> None:
    last = FIRST + timedelta(days=56)
    (silent,) = [row for row in judged(last, last, window_days=10) if row["route"] == "pausing"]
    assert (silent["n"], silent["feature"]) == (0, "calls")
    assert silent["p_value"] < 1e-3

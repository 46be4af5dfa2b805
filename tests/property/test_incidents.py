"""Whatever breaches there are, each belongs to one incident, and nobody is told of anything twice."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.incidents.rows import EVENT, FIRST, all_rows, breach, series, usage

FEATURES = ("characters", "words", "line_breaks", "code_fence", "repeated", "failed", "script_han", "model:b", "calls")
SEVERITIES = ("critical", "warning", "info")

one = st.tuples(
    st.integers(0, 40),
    st.sampled_from(("r", "q")),
    st.sampled_from(("input", "output", "pair")),
    st.sampled_from(FEATURES),
    st.floats(0, 1),
    st.floats(0, 1),
    st.booleans(),
    st.sampled_from(SEVERITIES),
    st.one_of(st.none(), st.floats(0, 1)),
)
many = st.lists(one, max_size=40, unique_by=lambda row: row[:4])
levels = st.lists(st.floats(0, 10), min_size=60, max_size=60)


def rows_of(drawn: list[Any]) -> list[dict[str, Any]]:
    return [
        breach(
            EVENT + timedelta(days=day), side, feature, before, now, route=route, is_start=is_start, severity=severity,
            p_value=p, kind="volume" if feature == "calls" else "drift", about="traffic",
        )
        for day, route, side, feature, before, now, is_start, severity, p in drawn
    ]  # fmt: skip


def values_of(drawn: list[Any], level: list[float]) -> list[dict[str, Any]]:
    found = sorted({(route, side, feature) for _, route, side, feature, *_ in drawn})
    return [
        row
        for n, (route, side, feature) in enumerate(found)
        if n % 3  # some have no values
        for row in series(side, feature, dict(enumerate(level, -14)), route=route, usual=1.0)
    ]


@given(many, levels, st.lists(st.integers(0, 40), max_size=10))
def test_each_breach_that_begins_belongs_to_one_incident_which_is_told_once(
    drawn: list[Any], level: list[float], silent: list[int]
) -> None:
    breaches, values = rows_of(drawn), values_of(drawn, level)
    nights = usage(routes=("q", "r"), without=silent)
    rows = all_rows(breaches, values, nights=nights)
    shuffled = random.Random(1).sample(breaches, len(breaches))
    assert all_rows(shuffled, values[::-1], nights=nights) == rows
    of_breaches = Counter((row["day"], row["kind"], row["subject"]) for row in rows if row["subject"])
    assert all(n == 1 for n in of_breaches.values())
    assert {(b["day"], b["kind"], b["subject"]) for b in breaches if b["is_start"]} <= set(of_breaches)
    whole = [row for row in rows if row["subject"] is None]
    assert all(n == 1 for n in Counter((row["day"], row["incident_id"]) for row in whole).values())
    opened = Counter(row["incident_id"] for row in whole if row["state"] == "open")
    assert set(opened) == {row["incident_id"] for row in rows}
    assert all(n == 1 for n in opened.values())
    assert all(row["title"] and row["routes"] and row["nights"] >= 1 for row in whole)
    assert all(row["first_seen"] <= row["day"] and row["day"] >= FIRST for row in rows)


@given(many, levels)
def test_a_day_is_told_the_same_whatever_comes_after_it(drawn: list[Any], level: list[float]) -> None:
    breaches, values = rows_of(drawn), values_of(drawn, level)
    nights = usage(routes=("q", "r"))
    until = EVENT + timedelta(days=20)
    told = [row for row in all_rows(breaches, values, nights=nights) if row["day"] <= until]
    known = [row for row in breaches if row["day"] <= until], [row for row in values if row["day"] <= until]
    assert all_rows(*known, nights=[row for row in nights if row["day"] <= until]) == told

"""An incident is told once, goes on over days without calls, and ends as recovered or settled."""

from typing import Any

from tests.unit.incidents.rows import EVENT, all_rows, breach, incidents, on_day, series, since, told, usage


def longer(*days: int, route: str = "r", **more: Any) -> list[dict[str, Any]]:
    """Outputs are longer and have code fences on these days; the first one meets all thresholds."""
    return [
        breach(on_day(day), "output", feature, before, now, route=route, is_start=day == days[0], **more)
        for day in days
        for feature, before, now in (("characters", 100.0, 130.0), ("code_fence", 0.1, 0.4))
    ]


def values(of_days: dict[int, float], *, route: str = "r") -> list[dict[str, Any]]:
    """Both series: 0 is the old level and 1 the new one."""
    return [
        row
        for feature, usual in (("characters", 4.6), ("code_fence", 0.1))
        for row in series(
            "output", feature, {day: usual + 0.3 * level for day, level in of_days.items()}, usual=usual, route=route
        )
    ]


def test_a_level_that_lasts_is_told_once_and_settles() -> None:
    rows = incidents(longer(0, 1, 2, 3), values(since(0, 1.0)))
    assert told(rows) == [(0, "open"), (1, "ongoing"), (2, "ongoing"), (3, "ongoing"), (6, "settled")]
    assert {row["incident_id"] for row in rows} == {rows[0]["incident_id"]}
    assert [row["nights"] for row in rows] == [1, 2, 3, 4, 7]


def test_an_incident_goes_on_over_days_without_calls() -> None:
    nights = usage(without=(1, 2))
    rows = incidents(longer(0, 3), values(since(0, 1.0)), nights=nights)
    assert told(rows)[:2] == [(0, "open"), (3, "ongoing")]
    assert rows[1]["nights"] == 2


def test_the_old_level_is_back() -> None:
    rows = incidents(longer(0, 1), values({0: 1.0, 1: 1.0}))
    assert told(rows) == [(0, "open"), (1, "ongoing"), (2, "recovered")]


def test_what_comes_back_within_three_nights_is_the_same_incident_and_later_it_is_another() -> None:
    soon = incidents(longer(0, 3), values({0: 1.0, 3: 1.0}))
    assert told(soon) == [(0, "open"), (1, "recovered"), (3, "ongoing"), (4, "recovered")]
    again = longer(0) + longer(20)
    later = incidents(again, values({0: 1.0, 20: 1.0}))
    assert told(later) == [(0, "open"), (1, "recovered"), (20, "open"), (21, "recovered")]
    assert len({row["incident_id"] for row in later}) == 2


def test_a_member_that_goes_to_the_other_side_of_its_old_level_is_another_incident() -> None:
    shorter = [breach(on_day(0), "output", name, 100.0, 70.0) for name in ("characters", "words")]
    longer = [breach(on_day(5), "output", name, 100.0, 150.0) for name in ("characters", "words")]
    moved = [
        row
        for name in ("characters", "words")
        for row in series("output", name, since(0, 4.2, 5) | since(5, 5.0), usual=4.6)
    ]
    rows = incidents([*shorter, *longer], moved)
    assert [(day, state) for day, state in told(rows) if state == "open"] == [(0, "open"), (5, "open")]


def test_a_change_that_comes_little_by_little_is_one_incident() -> None:
    steps = {0: 4.65, 1: 4.8, 2: 5.0, 3: 5.2}
    rolled = [breach(on_day(day), "output", name, 100.0, 150.0) for day in steps for name in ("characters", "words")]
    moved = [row for name in ("characters", "words") for row in series("output", name, steps, usual=4.6)]
    assert {row["incident_id"] for row in incidents(rolled, moved)} == {incidents(rolled, moved)[0]["incident_id"]}


def test_an_incident_without_a_cause_has_one_as_soon_as_more_of_it_names_one() -> None:
    first = [breach(on_day(day), "output", "characters", 100.0, 110.0, is_start=day == 0) for day in (0, 1)]
    more = [breach(on_day(1), "output", name, 0.1, 0.4) for name in ("code_fence", "json_valid")]
    rows = incidents([*first, *more], series("output", "characters", since(0, 4.7), usual=4.6))
    assert [(row["cause_kind"], row["state"]) for row in rows[:2]] == [
        ("unknown", "open"),
        ("model_under_name", "ongoing"),
    ]
    assert len({row["incident_id"] for row in rows}) == 1
    assert rows[1]["title"] == "Another model seems to answer as m: outputs 10 % longer on r"


def test_a_language_that_is_found_to_be_the_cause_later_is_in_the_title() -> None:
    first = [breach(on_day(day), "output", "characters", 100.0, 110.0, is_start=day == 0) for day in (0, 1)]
    more = breach(on_day(1), "output", "language:de", 0.0, 0.9)
    rows = incidents([*first, more], series("output", "characters", since(0, 4.7), usual=4.6))
    assert [row["cause_kind"] for row in rows[:2]] == ["unknown", "language"]
    assert rows[1]["title"] == "Outputs on r turned to German: 0 % before, 90 % now"


def test_one_series_that_moves_again_after_the_others_are_back_is_another_incident() -> None:
    others = ["characters", "words", "line_breaks"]
    first = [breach(on_day(0), "output", name, 100.0, 200.0) for name in others]
    again = breach(on_day(3), "output", "words", 100.0, 200.0)
    moved = [row for name in others for row in series("output", name, {0: 2.0}, usual=1.0)]
    moved = [row | {"value": 2.0} if (row["feature"], row["day"]) == ("words", on_day(3)) else row for row in moved]
    rows = incidents([*first, again], moved)
    assert told(rows) == [(0, "open"), (1, "recovered"), (3, "open"), (4, "recovered")]
    assert rows[2]["incident_id"] != rows[0]["incident_id"]


def test_a_series_that_has_stayed_at_the_new_level_has_not_changed_again() -> None:
    late = [breach(on_day(12), "output", "words", 80.0, 110.0)]
    moved = [*values(since(0, 1.0)), *series("output", "words", since(0, 4.7), usual=4.4)]
    rows = incidents(longer(0) + late, moved)
    assert {row["incident_id"] for row in rows} == {rows[0]["incident_id"]}
    assert told(rows) == [(0, "open"), (3, "settled"), (12, "settled")]
    assert {row["title"] for row in rows} == {rows[0]["title"]}  # whatever is found later


def test_a_further_change_of_the_same_series_is_another_incident() -> None:
    rows = incidents(longer(0) + longer(12), values(since(0, 1.0) | since(12, 4.0)))
    assert [state for _, state in told(rows)].count("open") == 2


def test_other_sides_and_other_routes_are_other_incidents() -> None:
    other = [
        breach(on_day(2), "input", "characters", 100.0, 150.0),
        breach(on_day(2), "output", "characters", 100.0, 150.0, route="q"),
    ]
    moved = [
        *values(since(0, 1.0)),
        *series("input", "characters", since(2, 5.0), usual=4.6),
        *series("output", "characters", since(2, 5.0), usual=4.6, route="q"),
    ]
    rows = incidents(longer(0) + other, moved, nights=usage(routes=("r", "q")))
    opened = [row for row in rows if row["state"] == "open"]
    assert [(row["day"], row["routes"]) for row in opened] == [(EVENT, ["r"]), (on_day(2), ["q"]), (on_day(2), ["r"])]


def test_what_never_met_all_thresholds_has_no_incident() -> None:
    rows = all_rows([breach(EVENT, "output", "characters", 100.0, 130.0, is_start=False)])
    assert rows == []


def test_every_breach_of_an_incident_names_it_with_its_own_first_day() -> None:
    late = [breach(on_day(2), "output", "words", 80.0, 110.0)]
    moved = [*values(since(0, 1.0)), *series("output", "words", since(0, 4.7), usual=4.4)]
    rows = all_rows(longer(0, 1, 2) + late, moved)
    (words,) = [row for row in rows if row["subject"] == "r/output/words"]
    assert (words["first_seen"], words["nights"]) == (on_day(2), 1)
    assert words["incident_id"] == rows[0]["incident_id"]


def test_a_candidate_that_is_no_longer_worse_has_recovered_only_where_it_was_evaluated() -> None:
    worse = [
        breach(on_day(day), "", "", -0.2, 0.0, kind="worse", about="candidate", severity="info", candidate="small")
        for day in (0, 1)
    ]
    assert told(incidents(worse, evaluated=[on_day(0), on_day(1), on_day(4)])) == [
        (0, "open"),
        (1, "ongoing"),
        (4, "recovered"),
    ]


def test_the_worst_breach_gives_the_severity_of_the_day() -> None:
    first = [*longer(0), breach(EVENT, "output", "json_valid", 1.0, 0.5, severity="critical", need="reliability")]
    moved = [*values(since(0, 1.0)), *series("output", "json_valid", {0: 0.5}, usual=1.0)]
    rows = incidents(first + longer(0, 1)[2:], moved)
    assert [row["severity"] for row in rows[:2]] == ["critical", "warning"]
    assert rows[0]["need"] == "reliability"
    assert rows[0]["n_breaches"] == 3


def test_production_below_its_minimum_does_not_settle() -> None:
    below = [
        breach(on_day(day), "output", "criterion:cites", 0.0, 0.6, kind="below_minimum", severity="critical",
               value_reference=None, criterion="cites", min_pass_rate=0.8)
        for day in range(40)
    ]  # fmt: skip
    rows = incidents(below, series("output", "criterion:cites", since(0, 0.6), usual=0.9))
    assert told(rows)[:40] == [(0, "open"), *((day, "ongoing") for day in range(1, 40))]
    assert rows[0]["title"] == (
        "Outputs pass criterion cites in only 60 % of cases, 80 % are required on r; nothing in the log says why"
    )


def small(day: int, now: float, **more: Any) -> dict[str, Any]:
    """A small change, seen over the last seven nights."""
    return breach(on_day(day), "output", "characters", 100.0, now, window_nights=7, **more)


def test_one_night_does_not_end_what_was_seen_over_seven() -> None:
    noisy = {day: 1.0 + 0.8 * (-1) ** day for day in range(-6, 60)}  # every other night is nearly at the old level
    moved = series("output", "characters", {day: 4.6 + 0.03 * level for day, level in noisy.items()}, usual=4.6)
    rows = incidents([small(0, 103.0), small(1, 103.0, is_start=False), small(2, 103.0, is_start=False)], moved)
    assert told(rows) == [(0, "open"), (1, "ongoing"), (2, "ongoing"), (5, "settled")]
    assert rows[0]["title"].startswith("Outputs 3 % longer (mean of 7 nights) on r")


def test_what_was_seen_over_seven_nights_ends_when_their_mean_is_back() -> None:
    gone = series("output", "characters", dict.fromkeys(range(-6, 1), 4.63), usual=4.6)
    rows = incidents([small(0, 103.0), *(small(day, 102.0, is_start=False) for day in (1, 2, 3, 4))], gone)
    assert told(rows) == [(0, "open"), (1, "ongoing"), (2, "ongoing"), (3, "ongoing"), (4, "ongoing"), (5, "recovered")]


def test_another_series_that_is_found_over_the_same_nights_joins_it() -> None:
    moved = [
        *series("output", "characters", since(-6, 4.63), usual=4.6),
        *series("output", "words", since(-6, 4.43), usual=4.4),
    ]
    rows = incidents([small(0, 103.0), breach(on_day(2), "output", "words", 80.0, 82.0, window_nights=7)], moved)
    assert len({row["incident_id"] for row in rows}) == 1

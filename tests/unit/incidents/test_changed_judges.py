"""A judge that changed is one incident with what it judged."""

from datetime import date
from typing import Any

from tests.unit.incidents.rows import EVENT, breach, incidents, on_day, series, since


def judge(day: date = EVENT, **more: Any) -> dict[str, Any]:
    said = "The judge j no longer judges as it did: it agrees with people on 82.0 %, before 90.0 %; 13.0 % of its"
    summary = f"{said} verdicts differ from its usual ones, before 2.4 % (200 answers; p < 0.001)."
    more = {"judge": "j", "criteria": ["r/polite", "q/polite"], "summary": summary, "rank": 11} | more
    return breach(day, "", "", 0.0, 0.0, kind="judge_changed", about="judge", route="", **more) | {"subject": "j"}


def passing(day: date = EVENT, **more: Any) -> dict[str, Any]:
    return breach(day, "output", "criterion:polite", 0.9, 0.8, **more)


def test_a_judge_that_changed_is_one_incident_with_what_it_decides_and_with_nothing_else() -> None:
    mean = passing(kind="below_minimum", severity="critical", criterion="polite")
    other = breach(EVENT, "output", "criterion:cites", 0.9, 0.8)
    rows = [row for row in incidents([passing(), mean, other, judge()]) if row["state"] == "open"]
    (row,) = [row for row in rows if row["cause_kind"] == "judge"]
    assert (row["cause"], row["n_breaches"], row["severity"]) == ("j", 3, "critical")
    assert row["title"] == (
        "The judge j no longer judges as it did: it agrees with people on 82.0 %, before 90.0 %; 13.0 % of its verdicts"
        " differ from its usual ones, before 2.4 %"
    )
    assert len(rows) == 2


def test_what_a_changed_judge_decides_joins_its_incident_whenever_it_is_found() -> None:
    fallen = since(0, 0.8)
    values = series("output", "criterion:polite", fallen, usual=0.9)
    rows = incidents([judge(), passing(on_day(5))], values=values)
    assert {row["cause_kind"] for row in rows} == {"judge"}
    assert [(row["day"], row["state"]) for row in rows] == [
        (EVENT, "open"),
        (on_day(3), "settled"),
        (on_day(5), "settled"),
    ]
    assert (rows[-1]["n_breaches"], len({row["incident_id"] for row in rows})) == (1, 1)


def test_a_criterion_that_falls_long_after_its_judge_changed_is_another_incident() -> None:
    values = series("output", "criterion:polite", since(10, 0.8), usual=0.9)
    rows = incidents([judge(), passing(on_day(10))], values=values)
    assert {row["cause_kind"] for row in rows if row["day"] == on_day(10)} == {"unknown"}


def test_a_judge_that_changes_again_is_another_incident() -> None:
    rows = incidents([judge(), judge(on_day(1), is_start=False), judge(on_day(9))])
    assert [(row["day"], row["state"]) for row in rows if row["state"] in ("open", "ongoing")] == [
        (EVENT, "open"), (on_day(1), "ongoing"), (on_day(9), "open"),
    ]  # fmt: skip

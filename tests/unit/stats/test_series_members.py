"""Which members of a mix are tested: names come from logs, and can be many."""

from datetime import date, timedelta
from typing import Any

from flows.stats.series import series_tests

FIRST = date(2026, 3, 1)
WINDOW = 28


def sums(feature: str, totals: dict[int, float], days: int = WINDOW + 3) -> list[dict[str, Any]]:
    """Rows of a member with these calls of 1,000 by day; 0 on the other days."""
    names = ("total", "total_squares", "cluster_squares", "cluster_cross")
    return [
        {"day": FIRST + timedelta(days=n), "route": "r", "side": "pair", "feature": feature, "n": 1000,
         "n_clusters": 1000, "cluster_sizes": 1000.0, **dict.fromkeys(names, totals.get(n, 0.0))}
        for n in range(days)
    ]  # fmt: skip


def members_on(rows: list[dict[str, Any]], day: int, most: int, mix: str = "error:") -> list[str]:
    """The features that are tested on a day."""
    at = FIRST + timedelta(days=day)
    start = at - timedelta(days=WINDOW)
    rows = [row for row in rows if start <= row["day"] <= at]
    kinds = {"field_number:": "number"}
    found = series_tests(rows, [], [], kinds=kinds, days=(at, at), window_days=WINDOW, most_members={mix: most})
    return [str(row["feature"]) for row in found]


def test_the_most_frequent_members_are_tested_and_a_new_one_that_is_frequent_takes_the_place_of_the_rarest() -> None:
    usual = {f"error:{n}": dict.fromkeys(range(WINDOW + 3), 20.0 + n) for n in range(5)}
    outage = {"error:down": {WINDOW: 400.0}}
    rows = [row for name, totals in (usual | outage).items() for row in sums(name, totals)]
    rows += sums("failed", dict.fromkeys(range(WINDOW + 3), 200.0))
    before = [row for row in rows if row["day"] < FIRST + timedelta(days=WINDOW)]
    assert members_on(before, WINDOW - 1, 3) == ["error:2", "error:3", "error:4", "failed"]
    assert members_on(rows, WINDOW, 3) == ["error:3", "error:4", "error:down", "failed"]


def test_a_chosen_member_stays_while_its_day_is_in_the_window() -> None:
    rows = [row for n in range(4) for row in sums(f"error:{n}", dict.fromkeys(range(WINDOW + 3), 30.0 + n))]
    rows += sums("error:down", {1: 400.0})
    assert members_on(rows, WINDOW + 1, 2) == ["error:3", "error:down"]
    assert members_on(rows, WINDOW + 2, 2) == ["error:2", "error:3"]


def test_members_of_equal_share_are_chosen_by_their_names_and_not_by_their_order() -> None:
    rows = [sums(f"error:{name}", {3: 7.0}) for name in "dacb"]
    for order in (rows, rows[::-1]):
        assert sorted(members_on([row for part in order for row in part], WINDOW, 2)) == ["error:a", "error:b"]


def test_fields_that_say_little_take_no_place_of_those_that_do() -> None:
    daily = range(WINDOW + 3)
    totals = {
        "id:present": dict.fromkeys(daily, 1000.0),
        "title:present": {n: 1000.0 if n < WINDOW else 0.0 for n in daily},
        "rare:present": dict.fromkeys(daily, 19.0),
        "label=a": dict.fromkeys(daily, 700.0),
        "note:present": dict.fromkeys(daily, 300.0),
        **{f"city={n}": dict.fromkeys(daily, 40.0 + n) for n in range(10, 24)},
    }
    rows = [row for member, total in totals.items() for row in sums(f"field:{member}", total)]
    found = members_on(rows, WINDOW, 60, "field")
    frequent = [f"field:city={n}" for n in range(12, 24)]
    assert found == ["field:title:present", "field:label=a", "field:note:present", *frequent]
    assert members_on(rows, WINDOW, 2, "field") == ["field:title:present", "field:label=a"]


def test_a_feature_whose_name_begins_like_a_field_is_tested_whatever_its_share() -> None:
    daily = dict.fromkeys(range(WINDOW + 3), 5.0)
    rows = [row for name in ("fields_missing", "field:a:present") for row in sums(name, daily)]
    assert members_on(rows, WINDOW, 60, "field") == ["fields_missing"]


def test_what_another_field_implies_is_not_tested_until_it_does_not_any_more() -> None:
    daily = range(WINDOW + 3)
    some, most = dict.fromkeys(daily, 600.0), dict.fromkeys(daily, 500.0)
    totals = {
        "field:user:present": some,
        "field:user.name:present": some,
        "field:user.mail:present": most,
        "field_type:user=object": some,
        "field:kind:present": most,
        "field:kind=a": most,
        "field_type:kind=string": {n: 500.0 if n < WINDOW + 1 else 200.0 for n in daily},
    }
    rows = [row for member, total in totals.items() for row in sums(member, total)]
    of_presence = ["field:user:present", "field:user.mail:present", "field:kind:present"]
    assert members_on(rows, WINDOW, 60, "field") == of_presence
    assert members_on(rows, WINDOW + 1, 60, "field") == [*of_presence, "field_type:kind=string"]


def test_numbers_of_fields_are_chosen_by_the_share_of_outputs_that_have_them() -> None:
    daily = range(WINDOW + 3)
    presence = {"field:a:present": 700.0, "field:b:present": 300.0}
    rows = [row for name, total in presence.items() for row in sums(name, dict.fromkeys(daily, total))]
    for name, n in (("often", 500), ("seldom", 100), ("hardly", 15)):
        rows += [row | {"n": n} for row in sums(f"field_number:{name}", dict.fromkeys(daily, -9000.0))]
    often, seldom = "field_number:often", "field_number:seldom"
    assert members_on(rows, WINDOW, 60, "field") == ["field:a:present", "field:b:present", often, seldom]
    assert members_on(rows, WINDOW, 2, "field") == ["field:a:present", often]

"""Pictures are well-formed, honest about gaps, and escape what is written into them."""

from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from flows.report.charts import Point, Scale, axis, delta_scale, interval, series, sparkline
from flows.report.wording import money, number, percent, points

FIRST, LAST = date(2024, 5, 1), date(2024, 5, 10)


def day(n: int) -> date:
    return FIRST + timedelta(days=n)


def classes(svg: str) -> list[str]:
    return [element.get("class", "") for element in ElementTree.fromstring(svg).iter()]


def test_a_day_without_a_value_is_a_gap_and_not_a_zero() -> None:
    values = [0.9, 0.91, None, 0.9, 0.4]
    found = classes(series([Point(day(n), value, 0.9, n == 4) for n, value in enumerate(values)], FIRST, LAST, "x"))
    assert found.count("value") == 2
    assert found.count("dot") == 3
    assert (found.count("mark"), found.count("breach-dot")) == (1, 1)


def test_a_seam_is_a_line_on_its_day_that_says_what_changed() -> None:
    drawn = [Point(day(n), 0.9, None, False) for n in range(3)]
    svg = series(drawn, FIRST, LAST, "x", seams={day(2): "criterion version <b>", day(99): "outside"})
    (line,) = [one for one in ElementTree.fromstring(svg).iter() if one.get("class") == "seam"]
    assert [title.text for title in line] == ["3 May: criterion version <b>"]


def test_a_missing_row_is_a_gap_too() -> None:
    found = classes(series([Point(day(n), 0.9, 0.9, False) for n in (0, 1, 4, 5)], FIRST, LAST, "x"))
    assert (found.count("value"), found.count("reference")) == (2, 2)


def test_a_series_without_values_is_no_picture() -> None:
    assert series([], FIRST, LAST, "x") == ""
    assert series([Point(FIRST, None, 0.9, False)], FIRST, LAST, "x") == ""
    assert sparkline([None, None], "x") == ""


@pytest.mark.parametrize("value", [0.0, 1.0, 1e-12, 5e8, -3.0])
def test_a_constant_series_can_be_drawn(value: float) -> None:
    points_ = [Point(day(n), value, value, False) for n in range(3)]
    for svg in (series(points_, FIRST, LAST, "x", number), sparkline([value] * 3, "x"), sparkline([value], "x", 0.0)):
        ElementTree.fromstring(svg)


def test_labels_are_escaped() -> None:
    label = "</title><script>alert(1)</script>"
    scale = Scale(-1, 1)
    drawn = (
        series([Point(FIRST, 0.5, None, False)], FIRST, LAST, label),
        interval((-0.1, 0.0, 0.1), scale, '"><script>', label, []),
        sparkline([1.0, 2.0], label),
    )
    for svg in drawn:
        assert "<script" not in svg
        ElementTree.fromstring(svg)


def test_a_scale_puts_what_lies_outside_on_its_edge() -> None:
    scale = Scale(0, 10, 100, 0)
    assert [scale.at(value) for value in (-5, 0, 5, 10, 99)] == [100, 100, 50, 0, 0]


@pytest.mark.parametrize("reach", [[], [None], [0.0], [0.004], [-0.31, 0.02], [1.0]])
def test_the_scale_of_differences_is_symmetric_and_holds_them_all(reach: list[float | None]) -> None:
    scale, ticks = delta_scale(reach)
    assert scale.low == -scale.high
    assert scale.high >= max((abs(value) for value in reach if value is not None), default=0)
    assert 3 <= len(ticks) <= 9
    ElementTree.fromstring(axis(scale, ticks))


def test_numbers_are_written_for_people() -> None:
    assert [number(value) for value in (1234.6, 0.0123456, -2.5, 3.0, None, float("nan"))] == [
        "1,235", "0.0123", "\N{MINUS SIGN}2.5", "3", "\N{EN DASH}", "\N{EN DASH}",
    ]  # fmt: skip
    assert (percent(0.8364), points(-0.04), money(0.0041), money(3.4)) == (
        "83.6%",
        "\N{MINUS SIGN}4.0",
        "$0.0041",
        "$3.40",
    )

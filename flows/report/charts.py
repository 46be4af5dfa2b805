"""Pictures as inline SVG. Pure: numbers in, escaped markup out.

Places across are in percent of the width and places down in pixels, so that a picture fills its column on a desk
and on a phone while its lines and letters keep their size. Colours are classes that the page's style sheet fills.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from types import MappingProxyType

from markupsafe import Markup

from flows.report.wording import MINUS, percent, short_day

LEFT, RIGHT = 9.0, 96.0  # percent; the left margin holds the scale
TOP, BOTTOM = 12.0, 128.0  # pixels
HEIGHT = 150
NO_SEAMS: Mapping[date, str] = MappingProxyType({})


@dataclass(frozen=True)
class Point:
    """One day of a series. `reference` is what the value was compared with; `marked` days are breaches."""

    day: date
    value: float | None
    reference: float | None
    marked: bool
    n: int = 0


@dataclass(frozen=True)
class Scale:
    """Maps values from `low` to `high` to places from `start` to `end`."""

    low: float
    high: float
    start: float = 0.0
    end: float = 100.0

    def at(self, value: float) -> float:
        """The place of a value, with two decimals; what lies outside is put on the edge."""
        inside = min(max(value, self.low), self.high)
        return round(self.start + (inside - self.low) / (self.high - self.low) * (self.end - self.start), 2)


def series(
    days: Sequence[Point],
    first: date,
    last: date,
    label: str,
    write: Callable[[float | None], str] = percent,
    *,
    seams: Mapping[date, str] = NO_SEAMS,
) -> Markup:
    """A feature's days from `first` to `last`: values, the reference as a dashed line, breach days marked.

    A day without a value is a gap. `write` puts a value into words. `seams` are days from which on values mean
    something else, with what to say of each. Without any value there is no picture.
    """
    known = [point.value for point in days if point.value is not None]
    if not known:
        return Markup("")
    known += [point.reference for point in days if point.reference is not None]
    down = _padded(known, is_share=write is percent)
    across = Scale(first.toordinal(), max(last.toordinal(), first.toordinal() + 1), LEFT, RIGHT)
    parts = [
        *_grid(down, write),
        *(_mark(point, across) for point in days if point.marked),
        *(_seam(day, text, across) for day, text in seams.items() if first <= day <= last),
        *_lines([(point.day, point.reference) for point in days], across, down, "reference"),
        *_lines([(point.day, point.value) for point in days], across, down, "value"),
        *(_dot(point, across, down, write) for point in days),
        _text(LEFT, HEIGHT - 4, short_day(first), "start"),
        _text(RIGHT, HEIGHT - 4, short_day(last), "end"),
    ]
    return _svg(HEIGHT, label, parts)


def interval(
    bounds: tuple[float, float, float], scale: Scale, tone: str, label: str, lines: Sequence[tuple[float, str]]
) -> Markup:
    """One row of a forest plot: a 95 % interval with its estimate, and lines such as zero and the margin.

    `bounds` are low, estimate and high. `tone` names the colour; `lines` are values with the class that draws them.
    """
    (low, middle, high), y = bounds, 14
    parts = [_line(scale.at(value), 0, scale.at(value), 28, css) for value, css in lines]
    parts += [
        _line(scale.at(low), y, scale.at(high), y, f"whisker {tone}"),
        _line(scale.at(low), y - 4, scale.at(low), y + 4, f"whisker {tone}"),
        _line(scale.at(high), y - 4, scale.at(high), y + 4, f"whisker {tone}"),
        Markup('<circle cx="{}%" cy="{}" r="4.5" class="estimate {}"/>').format(scale.at(middle), y, tone),
    ]
    return _svg(28, label, parts)


def axis(scale: Scale, values: Iterable[float]) -> Markup:
    """The numbers under a column of intervals: differences in points."""
    parts = [
        _text(scale.at(value), 12, f"{100 * value:+.0f}".replace("-", MINUS) if value else "0", "middle")
        for value in values
    ]
    return _svg(16, "scale", parts, css="axis")


def sparkline(values: Sequence[float | None], label: str, floor: float | None = None) -> Markup:
    """A small line of a window's days, the last one dotted; `floor` is where the scale starts at the latest."""
    known = [value for value in values if value is not None]
    if not known:
        return Markup("")
    low = min(known) if floor is None else min(floor, *known)
    high = max(known)
    down = Scale(low, high if high > low else low + 1, 24, 4)
    across = Scale(0, max(len(values) - 1, 1), 1.5, 97)
    places = [(across.at(n), None if value is None else down.at(value)) for n, value in enumerate(values)]
    parts = [
        _line(x1, y1, x2, y2, "spark") for (x1, y1), (x2, y2) in pairwise(places) if y1 is not None and y2 is not None
    ]
    parts += [
        Markup('<circle cx="{}%" cy="{}" r="{}" class="spark-end"/>').format(x, y, 2.6 if n == len(places) - 1 else 1)
        for n, (x, y) in enumerate(places)
        if y is not None and (n == len(places) - 1 or _alone(places, n))
    ]
    return _svg(28, label, parts)


def delta_scale(values: Iterable[float | None]) -> tuple[Scale, list[float]]:
    """A scale around zero that holds all `values`, and its ticks."""
    reach = max((abs(value) for value in values if value is not None), default=0.0) * 1.08
    step = next(nice for nice in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if reach <= 3 * nice or nice == 1.0)
    half = math.ceil(max(reach, step) / step)
    return Scale(-half * step, half * step, 4, 96), [n * step for n in range(-half, half + 1)]


def _alone(places: Sequence[tuple[float, float | None]], n: int) -> bool:
    around = [places[m][1] for m in (n - 1, n + 1) if 0 <= m < len(places)]
    return all(y is None for y in around)


def _padded(known: Sequence[float], is_share: bool) -> Scale:
    low, high = min(known), max(known)
    room = (high - low) * 0.12 or (0.05 if is_share else max(abs(high) * 0.1, 0.5))
    low, high = low - room, high + room
    if is_share:
        low, high = max(low, 0.0), min(high, 1.0)
    return Scale(low, high, BOTTOM, TOP)


def _ticks(low: float, high: float) -> list[float]:
    """Two to five round numbers between `low` and `high`."""
    rough = (high - low) / 3
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [n * step for n in range(first, last + 1)]


def _grid(down: Scale, write: Callable[[float | None], str]) -> list[Markup]:
    found = []
    for tick in _ticks(down.low, down.high):
        found.append(_line(LEFT, down.at(tick), RIGHT + 2, down.at(tick), "grid"))
        found.append(_text(LEFT - 1, down.at(tick) + 4, write(tick).replace(".0%", "%"), "end"))
    return found


def _mark(point: Point, across: Scale) -> Markup:
    x = across.at(point.day.toordinal())
    return _line(x, TOP - 8, x, BOTTOM, "mark")


def _seam(day: date, text: str, across: Scale) -> Markup:
    x = across.at(day.toordinal())
    return Markup('<line x1="{}%" y1="{}" x2="{}%" y2="{}" class="seam"><title>{}</title></line>').format(
        x, TOP - 8, x, BOTTOM, f"{short_day(day)}: {text}"
    )


def _dot(point: Point, across: Scale, down: Scale, write: Callable[[float | None], str]) -> Markup:
    if point.value is None:
        return Markup("")
    text = f"{short_day(point.day)}: {write(point.value)}"
    text += f", reference {write(point.reference)}" if point.reference is not None else ""
    text += f" (n = {point.n:,})" if point.n else ""
    return Markup('<circle cx="{}%" cy="{}" r="{}" class="{}"><title>{}</title></circle>').format(
        across.at(point.day.toordinal()),
        down.at(point.value),
        4 if point.marked else 2,
        "breach-dot" if point.marked else "dot",
        text,
    )


def _lines(days: Sequence[tuple[date, float | None]], across: Scale, down: Scale, css: str) -> list[Markup]:
    """Lines between neighbouring days that both have a value."""
    return [
        _line(across.at(one.toordinal()), down.at(before), across.at(two.toordinal()), down.at(after), css)
        for (one, before), (two, after) in pairwise(days)
        if before is not None and after is not None and (two - one).days == 1
    ]


def _line(x1: float, y1: float, x2: float, y2: float, css: str) -> Markup:
    return Markup('<line x1="{}%" y1="{}" x2="{}%" y2="{}" class="{}"/>').format(x1, y1, x2, y2, css)


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{}%" y="{}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def _svg(height: int, label: str, parts: Iterable[Markup], css: str = "picture") -> Markup:
    return Markup('<svg class="{}" width="100%" height="{}" role="img"><title>{}</title>{}</svg>').format(
        css, height, label, Markup("").join(parts)
    )

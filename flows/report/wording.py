"""Numbers and days in words, the same on the page, in the pictures and in the artifact. Pure."""

import math
from datetime import date

NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def short_day(day: date) -> str:
    """`14 May`; not strftime, which speaks the machine's language."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def long_day(day: date) -> str:
    """`Tuesday, 14 May 2024`."""
    return f"{_WEEKDAYS[day.weekday()]}, {short_day(day)} {day.year}"


def number(value: float | int | None) -> str:
    """Three significant digits, with thousands separated; a dash for what is not known."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}".replace("-", MINUS)
    return f"{value:.3g}".replace("-", MINUS)


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal; a dash for what is not known."""
    if share is None or not math.isfinite(share):
        return NOTHING
    return f"{100 * share:.1f}%".replace("-", MINUS)


def points(delta: float | None) -> str:
    """A difference of shares in percentage points, always with its sign."""
    if delta is None or not math.isfinite(delta):
        return NOTHING
    return f"{100 * delta:+.1f}".replace("-", MINUS)


def money(usd: float | None) -> str:
    """US dollars; small sums keep their digits."""
    if usd is None or not math.isfinite(usd):
        return NOTHING
    return f"${usd:,.2f}" if usd >= 1 or usd == 0 else f"${usd:.2g}"


def milliseconds(value: float | None) -> str:
    """`640 ms`, `3.2 s`."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return f"{value:,.0f} ms" if value < 1000 else f"{value / 1000:,.1f} s"


def share_of(part: int | None, whole: int) -> float | None:
    """A part of a whole; not known where either is."""
    return part / whole if part is not None and whole else None

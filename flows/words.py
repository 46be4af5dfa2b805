"""Counts, names and days in words."""

from collections.abc import Iterable, Sequence
from datetime import date

from flows.outgoing import plain

_SHOWN = 5
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 file`, `1,204 files`; `plural` where an s does not make it."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def outcome_counts(*counts: tuple[int, str]) -> str:
    """`197 calls, 1 duplicate`: what there is none of is left out, but for the first."""
    return ", ".join(_with_noun(count, noun) for n, (count, noun) in enumerate(counts) if count or n == 0)


def _with_noun(count: int, noun: str) -> str:
    """Words that are no nouns (`other`, `quarantined`) stay as they are."""
    return counted(count, noun) if noun in ("call", "duplicate", "feedback signal") else f"{count:,} {noun}"


def with_counts(counts: Iterable[tuple[str, int]]) -> str:
    """`cost_usd (3), latency_ms (1,204)`, in the given order."""
    return ", ".join(f"{name} ({count:,})" for name, count in counts)


def listed(noun: str, names: Sequence[str]) -> str:
    """`routes a, b and 3 more`; empty where there are none."""
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{noun}{'' if len(names) == 1 else 's'} {', '.join(plain(name)[:80] for name in names[:_SHOWN])}{more}"


def joined(parts: Iterable[str]) -> str:
    """`a`, `a and b`, or `a, b and c`; empty where there are none."""
    *most, last = [*parts] or [""]
    return f"{', '.join(most)} and {last}" if most else last


def duration(seconds: float) -> str:
    """`4 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"


def day_and_month(day: date) -> str:
    """`14 September`; not strftime, which speaks the machine's language."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def month_and_year(day: date) -> str:
    """`September 2024`."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def shown_days(days: Sequence[date]) -> str:
    """A day, or the first and the last of several; empty where there are none."""
    if not days:
        return ""
    return f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"

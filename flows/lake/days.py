"""Days of the lake: ranges, names of folders, and the run of a night."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from flows.errors import RunError

# A night processes days up to this age again if rows for them arrive late.
LATE_DAYS = 60


def nightly_run_id(day: date) -> str:
    """The run_id of a night's evaluation: the same for every run of that night."""
    return f"nightly-{day.isoformat()}"


def each_day(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        yield date.fromordinal(ordinal)


def day_of(text: str, place: Path | str) -> date:
    """The day that a folder is named by. Raises RunError if it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RunError(f"{place}: {text!r} is not a day; rename it to day=YYYY-MM-DD, or move it away") from None

"""The off-peak hours of a provider in litellm's price table, as minutes of a week.

Belongs here: clocks and weekdays. Does not belong here: the price of a call (`pricing`).
"""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo


@cache
def off_peak_minutes(off_peak: str) -> tuple[dict[str, int], ...]:
    """The off-peak times of a week, in minutes from Monday 00:00 UTC; the days are those of the provider's clock."""
    given = json.loads(off_peak)
    rules = [*given.get("windows", ()), *([{"hours_utc": given["hours_utc"]}] if "hours_utc" in given else ())]
    clock = ZoneInfo(given.get("weekday_timezone") or "UTC")
    monday = datetime(2026, 1, 5, tzinfo=UTC)
    is_open = [_is_open(monday + timedelta(minutes=5 * step), rules, clock) for step in range(2016)]
    edges = [step for step in range(2017) if (step < 2016 and is_open[step]) != (step > 0 and is_open[step - 1])]
    return tuple(
        {"begin_minute": 5 * begin, "end_minute": 5 * end} for begin, end in zip(edges[::2], edges[1::2], strict=True)
    )


def _is_open(time: datetime, rules: list[Any], clock: ZoneInfo) -> bool:
    now = f"{time:%H:%M}"
    for rule in rules:
        hours = rule["hours_utc"] if isinstance(rule["hours_utc"], list) else [rule["hours_utc"]]
        if time.astimezone(clock).isoweekday() in (rule.get("weekdays") or range(1, 8)):
            for begin, end in (window.split("-") for window in hours):
                if begin <= now < end if begin < end else now >= begin or now < end:
                    return True
    return False

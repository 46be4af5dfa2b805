"""When each source's day is usually complete, as the manifests of past nights tell, and whether a day is late.

A day was complete when the last file that its own night read had changed: the time of the file, or, of a database and
an API, that of the reading. Only nights that ran within two days of their day count for it; a backfill says nothing.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flows.config import Config
from flows.lake import Lake
from flows.stats.lateness import is_far_less, usually_complete
from flows.words import counted

_IN_TIME = timedelta(days=2)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Arrivals:
    """What a source has of a day, and what it had on the days before it.

    `usual` is when its days are usually complete, in words, from `nights` nights; empty where too few are known.
    """

    source: str
    arrived: int
    nights: int
    usual: str
    is_late: bool

    def told(self, day: date) -> str:
        """Of a late source, what it lacks and when it usually has it."""
        has = f"has only {counted(self.arrived, 'record')}" if self.arrived else "has no records"
        return f"source {self.source} {has} of {day}; it is usually complete by {self.usual}"


def arrivals(config: Config, lake: Lake, day: date) -> dict[str, Arrivals]:
    """Each configured source's arrivals of `day`, compared with the nights of the `window_days` before."""
    zone, first = ZoneInfo(config.timezone), day - timedelta(days=config.window_days)
    counts: dict[str, dict[date, int]] = defaultdict(dict)
    hours: dict[str, list[float]] = defaultdict(list)
    for night in (one for one in lake.days("manifest") if first <= one <= day):
        landed, ends, end = Counter[str](), dict[str, datetime](), _end_of(night, zone)
        columns = ["source", "interactions", "feedback", "read_at", "modified_at"]
        for row in lake.read("manifest", night, columns=columns).to_pylist():
            added = (row["interactions"] or 0) + (row["feedback"] or 0)
            landed[row["source"]] += added
            if added and row["read_at"] and row["read_at"] < end + _IN_TIME:
                changed = min(row["modified_at"] or row["read_at"], row["read_at"])  # read again, it may have changed
                ends[row["source"]] = max(ends.get(row["source"], changed), changed)
        for source in {*landed, *counts}:
            counts[source][night] = landed[source]
        if night < day:
            for source, moment in ends.items():
                hours[source].append((moment - end) / _HOUR)
    return {source.name: _of(source.name, day, counts[source.name], hours[source.name]) for source in config.sources}


def _of(source: str, day: date, counts: dict[date, int], hours: list[float]) -> Arrivals:
    hour = usually_complete(hours)
    past = [count for night, count in counts.items() if night < day]
    arrived = counts.get(day, 0)
    usual = "" if hour is None else _in_words(hour)
    return Arrivals(source, arrived, len(hours), usual, bool(usual) and is_far_less(arrived, past))


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), zone)


def _in_words(hour: float) -> str:
    """Hours after a day's end as a time of the clock, rounded up to a minute; no earlier than the day itself begins."""
    minutes = max(-24 * 60, -int(-hour * 60 // 1))  # a file may be older than its day: copied, or of another clock
    days, rest = divmod(minutes, 24 * 60)
    which = {-1: "of the day itself", 0: "of the next day"}.get(days, f"{days + 1} days later")
    return f"{rest // 60:02}:{rest % 60:02} {which}"

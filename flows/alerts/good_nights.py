"""When the last good night ended: one that ran to its end without a failed stage, whatever it found."""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flows.config import Config
from flows.errors import RunError
from flows.lake import Lake

_RECORD = "last_good_night"


@dataclass(frozen=True)
class GoodNight:
    """The day that was checked, and when the run ended."""

    day: date
    ended: datetime

    @property
    def words(self) -> str:
        """`2026-03-01, which ended on 2026-03-02 at 03:10 UTC`."""
        return f"{self.day}, which ended on {self.ended:%Y-%m-%d at %H:%M %Z}"


def note(lake: Lake, night: GoodNight) -> bool:
    """Note a good night, and say whether no later day had one: an old day that is run again is no sign of life."""
    record = lake.alerts_sent(_RECORD)
    with record.updating():
        known = _noted(lake)
        if known and known.day > night.day:
            return False
        record.write(json.dumps({"day": str(night.day), "ended": night.ended.isoformat()}))
    return True


def last(config: Config) -> GoodNight | None:
    """The last good night; None before the first. Raises RunError if the lake cannot be read.

    A lake of an older genchi has no note: then it is the last day with results, which ended after that day.
    """
    lake = config.open_lake()
    if found := _noted(lake):
        return found
    day = max(lake.days("expectation_results"), default=None)
    if day is None:
        return None
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(config.timezone)) + timedelta(days=1)
    return GoodNight(day, midnight)


def _noted(lake: Lake) -> GoodNight | None:
    try:
        found = json.loads(lake.alerts_sent(_RECORD).read() or "null")
        return GoodNight(date.fromisoformat(found["day"]), datetime.fromisoformat(found["ended"])) if found else None
    except RunError:
        raise
    except (OSError, ValueError, TypeError, KeyError):
        return None  # a note that cannot be read is none: the next good night writes it anew

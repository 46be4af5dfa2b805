"""What the night before said of the incidents that go on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from flows.lake import Lake

_TABLE = "expectation_results"


@dataclass(frozen=True)
class EarlierNight:
    """The last night before a day: its day, and how severe each incident was then, by its id."""

    day: date
    severities: Mapping[str, str]


def earlier_night(lake: Lake, day: date) -> EarlierNight | None:
    """The last night before `day` that has results; None for the first. Raises RunError if it cannot be read."""
    last = max((found for found in lake.days(_TABLE) if found < day), default=None)
    if last is None:
        return None
    rows = lake.read(_TABLE, last, columns=["suite", "subject", "severity", "success"]).to_pylist()
    failed = {row["subject"]: row["severity"] for row in rows if row["suite"] == "verdicts" and not row["success"]}
    return EarlierNight(last, failed)

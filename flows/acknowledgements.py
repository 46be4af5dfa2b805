"""Who has seen an incident and takes care of it: rows of the lake's table `acknowledgements`, which are only added."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flows.lake import Lake, from_rows
from flows.outgoing import plain


@dataclass(frozen=True)
class Acknowledgement:
    """One row: `by` has seen the incident and takes care of it, until the end of `until`; None: as long as it lasts."""

    incident_id: str
    by: str
    at: datetime
    note: str | None = None
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        """Whether it holds on the night of a day."""
        return self.until is None or day <= self.until

    @property
    def words(self) -> str:
        """Who, until when, and why: `acknowledged by ana until 2026-03-09: known, the fix comes on Monday`."""
        until = f" until {self.until}" if self.until else ""
        note = f": {' '.join(self.note.split())}" if self.note else ""
        return plain(f"acknowledged by {' '.join(self.by.split())}{until}{note}")


def add(lake: Lake, day: date, acknowledgement: Acknowledgement) -> None:
    """Add a row; `day` is the day of its time in the time zone of the workspace. The lake must be locked."""
    ack_id = uuid.uuid4().hex
    row: dict[str, object] = {
        "ack_id": ack_id,
        "incident_id": acknowledgement.incident_id,
        "acknowledged_by": acknowledgement.by,
        "note": acknowledgement.note,
        "at": acknowledgement.at,
        "until_day": acknowledgement.until,
    }
    lake.write("acknowledgements", day, from_rows([row], "acknowledgements"), ack_id)


def newest(lake: Lake) -> dict[str, Acknowledgement]:
    """The newest acknowledgement of each incident, in force or not. Raises RunError if the lake cannot be read."""
    rows = (row for day in lake.days("acknowledgements") for row in lake.read("acknowledgements", day).to_pylist())
    return {row["incident_id"]: _of_row(row) for row in sorted(rows, key=lambda row: (row["at"], row["ack_id"]))}


def in_force(lake: Lake, day: date) -> dict[str, Acknowledgement]:
    """By incident, what holds on the night of a day. Raises RunError if the lake cannot be read."""
    return {incident: found for incident, found in newest(lake).items() if found.holds_on(day)}


def _of_row(row: Mapping[str, Any]) -> Acknowledgement:
    return Acknowledgement(row["incident_id"], row["acknowledged_by"], row["at"], row["note"], row["until_day"])

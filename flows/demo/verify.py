"""Checks whether the nights found the planted incidents of the demo, from marts.fct_incidents."""

from dataclasses import dataclass
from datetime import date, timedelta

from flows.config import Config
from flows.demo.incidents import DAYS, INCIDENTS, Incident
from flows.marts import open_marts


@dataclass(frozen=True)
class Told:
    """One incident that began on a day of the demo, as marts.fct_incidents has it on that day."""

    day: date
    cause_kind: str
    cause: str | None
    title: str


@dataclass(frozen=True)
class Result:
    """The result for one planted incident: the first incident that a night told of it, if one did."""

    incident: Incident
    told: Told | None = None

    @property
    def found(self) -> bool:
        """Whether a night told of it."""
        return self.told is not None

    @property
    def text(self) -> str:
        """The result as one line: the incident's name, and the title that a night gave it."""
        if self.told is None:
            return f"{self.incident.name}: not found; planted: {self.incident.story}"
        return f"{self.incident.name}, {self.told.day}: {self.told.title}"


def results(config: Config, last_day: date) -> tuple[Result, ...]:
    """One result for each planted incident. Raises RunError without a warehouse."""
    told = _told(config, last_day)
    return tuple(
        Result(incident, next((one for one in told if _is_of(one, incident, last_day)), None)) for incident in INCIDENTS
    )


def unexpected(config: Config, last_day: date) -> tuple[Told, ...]:
    """The incidents of the demo's days that no planted one explains. Raises RunError without a warehouse."""
    return tuple(
        one for one in _told(config, last_day) if not any(_is_of(one, incident, last_day) for incident in INCIDENTS)
    )


def _told(config: Config, last_day: date) -> list[Told]:
    """All that began on the demo's days, oldest first."""
    rows = open_marts(config).query(
        "select day, cause_kind, cause, title from marts.fct_incidents where state = 'open' and day between ? and ?"
        " order by all",
        [last_day - timedelta(days=DAYS - 1), last_day],
    )
    return [Told(**row) for row in rows]


def _is_of(told: Told, incident: Incident, last_day: date) -> bool:
    return (
        incident.covers((last_day - told.day).days)
        and told.cause_kind == incident.cause_kind
        and incident.cause in (told.cause or "")
    )

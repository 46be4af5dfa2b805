"""Checks whether the nights found the planted incidents of the demo, from marts.fct_breaches."""

from dataclasses import dataclass
from datetime import date, timedelta

from flows.config import Config
from flows.demo.incidents import DAYS, INCIDENTS, Incident
from flows.warehouse import query


@dataclass(frozen=True)
class Finding:
    """The result for one planted incident. `day` and `evidence` are of the first breach that shows it."""

    incident: Incident
    day: date | None = None
    evidence: str = ""

    @property
    def found(self) -> bool:
        """Whether a breach shows it."""
        return self.day is not None

    @property
    def text(self) -> str:
        """The finding as one line: the incident's name, and the breach's sentence if there is one."""
        if self.day is None:
            return f"{self.incident.name}: not found; planted: {self.incident.story}"
        return f"{self.incident.name}, {self.day}: {self.evidence}"


@dataclass(frozen=True)
class Breach:
    """One row of marts.fct_breaches, without its numbers."""

    day: date
    kind: str
    subject: str
    summary: str


def findings(config: Config, last_day: date) -> tuple[Finding, ...]:
    """One finding for each planted incident. Raises RunError without a warehouse."""
    breaches = _breaches(config, last_day)
    return tuple(_finding(incident, breaches, last_day) for incident in INCIDENTS)


def unexpected(config: Config, last_day: date) -> tuple[Breach, ...]:
    """The breaches of the demo's days that no planted incident explains. Raises RunError without a warehouse."""
    return tuple(
        breach
        for breach in _breaches(config, last_day)
        if not any(
            _belongs(breach, incident, last_day, (*incident.subjects, *incident.explains)) for incident in INCIDENTS
        )
    )


def _breaches(config: Config, last_day: date) -> list[Breach]:
    """All of the demo's days, oldest first."""
    first_day = last_day - timedelta(days=DAYS - 1)
    rows = query(
        config.warehouse,
        "select day, kind, subject, summary from marts.fct_breaches where day between ? and ? order by all",
        [first_day, last_day],
    )
    return [Breach(row["day"], row["kind"], row["subject"], row["summary"]) for row in rows]


def _finding(incident: Incident, breaches: list[Breach], last_day: date) -> Finding:
    """The first breach for the first of the incident's subjects that has one."""
    for subject in incident.subjects:
        for breach in breaches:
            if _belongs(breach, incident, last_day, (subject,)):
                return Finding(incident, breach.day, breach.summary)
    return Finding(incident)


def _belongs(breach: Breach, incident: Incident, last_day: date, subjects: tuple[str, ...]) -> bool:
    return (
        incident.covers((last_day - breach.day).days)
        and breach.kind in incident.kinds
        and breach.subject.startswith(subjects)
    )

"""The incidents of a night as the page uses them, and how they are read from `fct_incidents`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flows.incidents import place_of

SEVERITIES = ("critical", "warning", "info")
COLUMNS = (
    "incident_id", "severity", "need", "title", "summary", "cause_kind", "cause", "routes", "first_seen", "nights",
    "state", "n_breaches", "evidence_json",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One series that moved with an incident: a share or a mean, before it began and now; `words` say it in short."""

    what: str
    route: str
    side: str
    feature: str
    before: float | None
    now: float | None
    words: str


@dataclass(frozen=True)
class TriedCause:
    """One cause that was tried, and which share (0 to 1) of the shifts it explains."""

    cause_kind: str
    cause: str | None
    explained: float | None


@dataclass(frozen=True)
class Incident:
    """What began together and has one cause. `title` is a sentence without its full stop.

    `nights` counts the nights with calls up to this one. `state` is open (begins this day), ongoing (told before),
    settled (the new level stays) or recovered (the old one is back). `breach_names` are kind and subject of its
    breaches, `calls` the ids of calls that show it; of both the most important come first.
    """

    incident_id: str
    severity: str
    need: str
    title: str
    summary: str
    cause_kind: str
    cause: str | None
    routes: tuple[str, ...]
    first_seen: date
    nights: int
    state: str
    n_breaches: int = 0
    breach_names: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()
    causes_tried: tuple[TriedCause, ...] = ()

    @property
    def is_going_on(self) -> bool:
        """Whether it is there this night, and not only told to be over."""
        return self.state in ("open", "ongoing")

    @property
    def is_told(self) -> bool:
        """Whether it goes on and is more than information."""
        return self.is_going_on and self.severity != "info"


def incident_of(row: Mapping[str, Any]) -> Incident:
    """The incident of a row with `COLUMNS`. What its evidence does not have is empty."""
    evidence = _object(row["evidence_json"])
    told = {name: row[name] for name in COLUMNS if name not in ("routes", "evidence_json")}
    return Incident(
        **told,
        routes=tuple(row["routes"] or ()),
        breach_names=tuple(map(str, _list(evidence, "breaches"))),
        calls=tuple(dict.fromkeys(map(str, _list(evidence, "example_call_ids")))),
        changes=tuple(_change(found) for found in _list(evidence, "changes") if isinstance(found, dict)),
        causes_tried=tuple(_tried(found) for found in _list(evidence, "causes_tried") if isinstance(found, dict)),
    )


def in_order(incidents: Sequence[Incident]) -> tuple[Incident, ...]:
    """The most severe first, then by need, what is new before what goes on, and then what moved most."""
    return tuple(sorted(incidents, key=_rank))


def _rank(incident: Incident) -> tuple[int, int, bool, int, str]:
    order = SEVERITIES.index(incident.severity)
    return order, place_of(incident.need), incident.state != "open", -incident.n_breaches, incident.incident_id


def _object(text: str | None) -> dict[str, Any]:
    found = json.loads(text or "{}")
    return found if isinstance(found, dict) else {}


def _list(evidence: Mapping[str, Any], name: str) -> list[Any]:
    found = evidence.get(name)
    return found if isinstance(found, list) else []


def _change(found: Mapping[str, Any]) -> Change:
    words = {name: str(found.get(name) or "") for name in ("what", "route", "side", "feature", "words")}
    return Change(**words, before=_number(found.get("before")), now=_number(found.get("now")))


def _tried(found: Mapping[str, Any]) -> TriedCause:
    cause = found.get("cause")
    return TriedCause(
        str(found.get("cause_kind")), None if cause is None else str(cause), _number(found.get("explained"))
    )


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]  # it is a number

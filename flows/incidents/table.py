"""From the breaches of all days to the rows of incidents and of their breaches."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pyarrow as pa

from flows.incidents.breach_rows import SEVERITIES, Breach
from flows.incidents.causes import Found, causes_of
from flows.incidents.changes import changes_of
from flows.incidents.given import Given
from flows.incidents.lives import Incident, State
from flows.incidents.titles import summary_of, title_of

SCHEMA = pa.schema(
    [
        ("day", pa.date32()),
        *((name, pa.string()) for name in ("kind", "subject", "incident_id", "severity", "need", "title", "summary")),
        *((name, pa.string()) for name in ("cause_kind", "cause")),
        ("routes", pa.list_(pa.string())),
        ("first_seen", pa.date32()),
        ("nights", pa.int64()),
        ("state", pa.string()),
        ("n_breaches", pa.int64()),
        ("evidence_json", pa.string()),
    ]
)
"""The columns of `incident_table`. A row of a breach has a kind and a subject; a row of an incident has neither."""
_TOGETHER = 2
"""Within so many nights one cause that meets another route is still one incident."""
_CALLS = 12
_DAYS_KEPT = 60  # nothing joins an incident that began earlier


def incident_table(given: Given) -> pa.Table:
    """The incidents of each day and their breaches, with the columns of `SCHEMA`, in the order of days.

    A breach that continues something which never met all thresholds belongs to no incident, and has no row.
    """
    ledger = _Ledger(given)
    days = set(given.breaches) | {day for _, day in given.nights} | given.evaluated
    return pa.Table.from_pylist([row for day in sorted(days) for row in ledger.night(day)], schema=SCHEMA)


class _Ledger:
    """The incidents that may still gain breaches, newest first."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.incidents: list[Incident] = []

    def night(self, day: date) -> list[dict[str, object]]:
        """The rows of one day; days come in order."""
        self.incidents = [one for one in self.incidents if (day - one.first_seen).days <= self._days_kept(one)]
        today: dict[str, list[Breach]] = {}
        starts = []
        for breach in self.given.breaches.get(day, ()):
            owner = next((one for one in self.incidents if one.claims(breach, self.given)), None)
            if owner is not None:
                owner.add(breach, self.given)
                today.setdefault(owner.incident_id, []).append(breach)
            elif breach.is_start:
                starts.append(breach)
        for found in causes_of(starts, self.given):
            owner = self._same_cause(found, day) or self._young_one(found, day) or self._begin(found, day)
            for breach in found.breaches:
                owner.add(breach, self.given)
            today.setdefault(owner.incident_id, []).extend(found.breaches)
        rows: list[dict[str, object]] = []
        for one in sorted(self.incidents, key=lambda one: one.incident_id):
            rows += _rows(one, day, today.get(one.incident_id, []), self.given)
        return rows

    def _days_kept(self, one: Incident) -> int:
        return 10**6 if not one.is_over else max(_DAYS_KEPT, self.given.window_days)

    def _same_cause(self, found: Found, day: date) -> Incident | None:
        """An incident of the same cause that began on another route a night or two ago."""
        for one in self.incidents:
            if found.cause.is_shared and one.cause == found.cause and not one.is_over and one.first_seen < day:
                routes = [*one.routes, *(breach.route for breach in found.breaches)]
                if self.given.nights_between(routes, one.first_seen, day) <= _TOGETHER:
                    return one
        return None

    def _young_one(self, found: Found, day: date) -> Incident | None:
        """An incident of the last nights of which this is more, or which has its cause from this."""
        for one in self.incidents:
            if one.grows_by(found, day, self.given):
                return one
            if one.is_explained_by(found, day, self.given):
                one.found = found
                return one
        return None

    def _begin(self, found: Found, day: date) -> Incident:
        name = "\0".join((found.cause.kind, found.cause.name or "", *sorted(b.subject for b in found.breaches)))
        incident_id = f"{day}-{hashlib.md5(name.encode('utf-8', 'replace'), usedforsecurity=False).hexdigest()[:8]}"
        one = Incident(incident_id, found, day)
        self.incidents.insert(0, one)
        return one


def _rows(one: Incident, day: date, today: Sequence[Breach], given: Given) -> list[dict[str, object]]:
    """The row of an incident on a day, and one for each of its breaches; none where there is nothing to tell."""
    state: State | None = "open" if day == one.first_seen else one.tell(day, list(today), given)
    if state is None:
        return []
    known = {"day": day, "incident_id": one.incident_id, "state": state}
    worst = min((b.severity for b in today or one.members.values()), key=SEVERITIES.index)
    since = {"first_seen": one.first_seen, "nights": one.nights(None, day, given)}
    rows = [known | since | {"severity": worst} | _words(one, day, today, given)]
    for breach in today:
        since = {"first_seen": one.members[breach.key].day, "nights": one.nights(breach.key, day, given)}
        rows.append(known | since | {"kind": breach.kind, "subject": breach.subject, "severity": breach.severity})
    return rows


def _is_named(breach: Breach, title: str) -> bool:
    """Whether it is about a topic that a title names."""
    label = breach.evidence.get("topic_label")
    return breach.kind == "topic" and bool(label) and f'"{label}"' in title


def _words(one: Incident, day: date, today: Sequence[Breach], given: Given) -> dict[str, object]:
    members = sorted(one.members.values(), key=lambda b: (SEVERITIES.index(b.severity), b.rank, b.subject))
    found = replace(one.found, breaches=tuple(members))
    # A cause that was found later may be a series of which nothing was known on the first day.
    first = (b for b in members if b.day == one.began_on(b.route) or b.feature == one.cause.name)
    begun = replace(found, breaches=tuple(first))
    changes = changes_of(members, given.features)
    title, summary = title_of(begun, given), summary_of(found, changes, given, day)
    named_first = sorted(today or members, key=lambda breach: not _is_named(breach, title))
    calls = dict.fromkeys(call for breach in named_first for call in breach.calls)
    quiet = {
        "title": title_of(begun, given.without_texts),
        "summary": summary_of(found, changes, given.without_texts, day),
    }
    evidence = {
        "breaches": [" ".join(breach.key) for breach in members],
        "example_call_ids": list(calls)[:_CALLS],
        "changes": [change.as_row() for change in changes],
        "causes_tried": [
            {"cause_kind": cause.kind, "cause": cause.name, "explained": part} for cause, part in one.found.tried
        ],
        **({} if (title, summary) == tuple(quiet.values()) else {"without_texts": quiet}),
    }
    return {
        "need": members[0].need,
        "title": title,
        "summary": summary,
        "cause_kind": one.cause.kind,
        "cause": one.cause.name,
        "routes": sorted(one.routes),
        "n_breaches": len(today),
        "evidence_json": json.dumps(evidence, ensure_ascii=False, sort_keys=True),
    }

"""`genchi breaches`: the incidents of a day with their breaches, the worst first, for a person or as JSON."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from flows import acknowledgements
from flows.config import Config
from flows.incidents import NEEDS
from flows.marts import open_marts

Row = dict[str, Any]

_EXAMPLES = 3
_INCIDENTS = f"""
select *
from marts.fct_incidents
where day = ? and (? is null or list_contains(routes, ?))
order by
    array_position(['open', 'ongoing', 'settled', 'recovered'], state) > 2,
    array_position(['critical', 'warning', 'info'], severity),
    coalesce(array_position({list(NEEDS)}, need), {len(NEEDS) + 1}), state <> 'open', n_breaches desc, incident_id
"""
_BREACHES = """
select day, kind, subject, severity, summary, first_seen, nights, incident_id, evidence_json
from marts.fct_breaches
where day = ?
order by array_position(['critical', 'warning', 'info'], severity), nights, kind, subject
"""


def read(config: Config, day: date, route: str | None = None) -> list[Row]:
    """The incidents of `day`, of one route or of all, each with its `evidence` and its `breaches`.

    `acknowledged` says who takes care of an incident, or is None. Breaches that are part of no incident are
    information; they come last, under an entry whose `incident_id` is None. Raises RunError without a warehouse.
    """
    known = acknowledgements.in_force(config.open_lake(), day)
    marts = open_marts(config)
    incidents = [_row(row) for row in marts.query(_INCIDENTS, [day, route, route])]
    breaches = [_row(row) for row in marts.query(_BREACHES, [day])]
    for incident in incidents:
        found = known.get(incident["incident_id"])
        incident["acknowledged"] = found.words if found else None
        place = {name: n for n, name in enumerate(incident["evidence"].get("breaches") or ())}
        mine = [row for row in breaches if row["incident_id"] == incident["incident_id"]]
        incident["breaches"] = sorted(mine, key=lambda row: place.get(f"{row['kind']} {row['subject']}", len(place)))
    loose = [row for row in breaches if row["incident_id"] is None and route in (None, row["evidence"].get("route"))]
    return [*incidents, *([{"day": day, "incident_id": None, "severity": "info", "breaches": loose}] if loose else [])]


def _row(row: Row) -> Row:
    return {**row, "evidence": json.loads(row.pop("evidence_json") or "{}")}


def as_json(incidents: list[Row]) -> str:
    """The incidents as a JSON list."""
    return json.dumps(incidents, ensure_ascii=True, indent=2, default=str)


def lines(incidents: list[Row], day: date) -> Iterator[str]:
    """For each incident its title, its summary, calls to look at, and a line for each of its breaches."""
    if not incidents:
        yield f"no incidents on {day}"
    for incident in incidents:
        yield from _about(incident) if incident["incident_id"] else ["info, part of no incident:"]
        for breach in incident["breaches"]:
            yield f"  {breach['severity']}, {breach['kind']} {breach['subject']}: {breach['summary']}"


def _about(incident: Row) -> Iterator[str]:
    yield f"{incident['severity']}, {_age(incident)}: {incident['title']}"
    yield f"  {incident['summary']}"
    yield f"  incident: {incident['incident_id']}"
    if incident["acknowledged"]:
        yield f"  {incident['acknowledged']}"
    if calls := incident["evidence"].get("example_call_ids"):
        yield f"  calls: {', '.join(map(str, calls[:_EXAMPLES]))}"


def _age(incident: Row) -> str:
    """`new`, `night 3 since 2024-05-12`, or how it ended."""
    if incident["state"] == "ongoing":
        return f"night {incident['nights']} since {incident['first_seen']}"
    return "new" if incident["state"] == "open" else str(incident["state"])

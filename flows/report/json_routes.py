"""The routes of which a criterion asks for JSON."""

import json
from datetime import date

from flows.lake import Lake

_KINDS = ("json_valid", "json_schema")


def json_routes(lake: Lake, day: date) -> frozenset[str]:
    """The routes with a criterion, noted up to `day`, that only JSON passes. Raises RunError for an unreadable lake."""
    columns = ("route", "definition_json")
    noted = (
        row
        for one in lake.days("criteria")
        if one <= day
        for row in lake.read("criteria", one, columns=columns).to_pylist()
    )
    return frozenset(row["route"] for row in noted if _kind(row["definition_json"]) in _KINDS)


def _kind(definition: str | None) -> object:
    found = json.loads(definition or "{}")
    return found.get("kind") if isinstance(found, dict) else None

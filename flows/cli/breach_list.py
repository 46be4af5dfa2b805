"""`genchi breaches`: the breaches of a day from `fct_breaches`, the worst first, for a person or as JSON."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from flows.config import Config
from flows.warehouse import query

Row = dict[str, Any]

_EXAMPLES = 3
_BREACHES = """
select day, kind, subject, severity, summary, first_seen, nights, evidence_json
from marts.fct_breaches
where day = ? and (? is null or evidence_json ->> '$.route' = ?)
order by array_position(['critical', 'warning', 'info'], severity), nights, kind, subject
"""


def read(config: Config, day: date, route: str | None = None) -> list[Row]:
    """The breaches of `day`, of one route or of all, with their `evidence`. Raises RunError without a warehouse."""
    found = query(config.warehouse, _BREACHES, [day, route, route])
    return [{**row, "evidence": json.loads(row.pop("evidence_json") or "{}")} for row in found]


def as_json(breaches: list[Row]) -> str:
    """The breaches as a JSON list."""
    return json.dumps(breaches, ensure_ascii=True, indent=2, default=str)


def lines(breaches: list[Row], day: date) -> Iterator[str]:
    """A line for each breach, and one with calls to look at."""
    if not breaches:
        yield f"no breaches on {day}"
    for row in breaches:
        since = "new" if row["nights"] <= 1 else f"since {row['first_seen']}"
        yield f"{row['severity']}, {row['kind']}, {since}: {row['summary']}"
        if calls := row["evidence"].get("example_call_ids"):
            yield f"  calls: {', '.join(map(str, calls[:_EXAMPLES]))}"

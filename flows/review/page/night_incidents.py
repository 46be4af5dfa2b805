"""The night's incidents: for the top of the page, and to acknowledge."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from flows.errors import RunError
from flows.warehouse import query

_INCIDENTS = """
select incident_id, severity, need, title, state, first_seen
from marts.fct_incidents
where day = ? and state in ('open', 'ongoing') and severity <> 'info'
order by array_position(['critical', 'warning'], severity), state <> 'open', n_breaches desc, incident_id
"""


def incidents_of(warehouse: Path, day: date) -> list[dict[str, Any]] | None:
    """The incidents that are open or go on, the worst first; None where the warehouse cannot be read."""
    try:
        return query(warehouse, _INCIDENTS, [day])
    except (RunError, duckdb.Error):
        return None

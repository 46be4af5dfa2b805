"""The night's incidents: for the top of the page, and to acknowledge."""

from datetime import date
from typing import Any

import duckdb

from flows.config import Config
from flows.errors import RunError
from flows.marts import open_marts

_INCIDENTS = """
select incident_id, severity, need, title, state, first_seen
from marts.fct_incidents
where day = ? and state in ('open', 'ongoing') and severity <> 'info'
order by array_position(['critical', 'warning'], severity), state <> 'open', n_breaches desc, incident_id
"""


def incidents_of(config: Config, day: date) -> list[dict[str, Any]] | None:
    """The incidents that are open or go on, the worst first; None where the marts cannot be read."""
    try:
        return open_marts(config).query(_INCIDENTS, [day])
    except (RunError, duckdb.Error):
        return None

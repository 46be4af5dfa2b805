"""`genchi ack`: note in the lake who takes care of an incident."""

import getpass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flows import acknowledgements
from flows.acknowledgements import Acknowledgement
from flows.config import Config, did_you_mean
from flows.errors import ConfigError
from flows.marts import open_marts

_PATIENCE_S = 120  # for another run to leave the lake
_LONGEST_NAME, _LONGEST_NOTE = 60, 500
_FOUND = """
select incident_id, arg_max(title, day) as title
from marts.fct_incidents
where starts_with(incident_id, ?)
group by incident_id
"""
_NEWEST = "select incident_id from marts.fct_incidents where day = (select max(day) from marts.fct_incidents)"


def run(
    config: Config,
    incident: str,
    by: str | None,
    note: str | None,
    until: date | None,
    *,
    patience: float = _PATIENCE_S,
) -> str:
    """Add an acknowledgement, and say what it does, in one line.

    Raises ConfigError for an id that no incident or more than one begins with, and for a name or a note that is empty
    or too long; RunError without a warehouse, or where another run holds the lake for longer than `patience` seconds.
    """
    who = " ".join((getpass.getuser() if by is None else by).split())
    if not 0 < len(who) <= _LONGEST_NAME:
        raise ConfigError(f"--by: a name has 1 to {_LONGEST_NAME} characters")
    if note is not None and len(note) > _LONGEST_NOTE:
        raise ConfigError(f"--note: has {len(note):,} characters; at most {_LONGEST_NOTE} are kept")
    incident_id, title = _found(config, incident)
    now = datetime.now(UTC)
    today = now.astimezone(ZoneInfo(config.timezone)).date()
    added = Acknowledgement(incident_id, who, now, note or None, until)
    lake = config.open_lake()
    with lake.lock("ack", patience):
        acknowledgements.add(lake, today, added)
    if until and until < today:
        return f"{incident_id}: no longer acknowledged: {title}"
    return f"{incident_id}: {added.words}; digests do not repeat it: {title}"


def _found(config: Config, incident: str) -> tuple[str, str]:
    """The id and the title of the incident that is meant."""
    marts = open_marts(config)
    found = marts.query(_FOUND, [incident]) if incident else []
    exact = [row for row in found if row["incident_id"] == incident] or found
    if len(exact) == 1:
        return exact[0]["incident_id"], exact[0]["title"]
    if exact:
        raise ConfigError(f"{incident!r}: {len(exact):,} incidents begin so; give more of the id")
    known = [row["incident_id"] for row in marts.query(_NEWEST)]
    raise ConfigError(f"{incident!r}: no such incident; {did_you_mean(incident, known)} `genchi breaches` lists them")

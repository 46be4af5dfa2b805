"""Breaches that begin together and have one cause are one incident. Pure: rows in, rows out; no I/O and no clock.

The dbt model `int_incidents` calls `incident_table` with the breaches of all days. README.md has the rules.
"""

from flows.incidents.given import Given
from flows.incidents.needs import NEEDS, need_in, place_of, rest_waits
from flows.incidents.table import incident_table

__all__ = ["NEEDS", "Given", "incident_table", "need_in", "place_of", "rest_waits"]

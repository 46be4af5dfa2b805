"""What the night found that people should look at: calls of open incidents, and examples that flicker or regressed."""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from flows.errors import RunError, in_one_line
from flows.marts import Marts
from flows.review.queue.day_pool import Suspects

log = logging.getLogger("genchi")

# The columns of calls that an incident of such a cause is about.
_COLUMNS = {
    "release": "release",
    "prompt_version": "prompt_version",
    "model_name": "model",
    "model_under_name": "model",
    "pinned_model": "model",
}
_INCIDENTS = """
    select title, cause_kind, cause, evidence_json
    from marts.fct_incidents
    where day = ? and state in ('open', 'ongoing') and severity <> 'info'
    order by array_position(['critical', 'warning'], severity), n_breaches desc, incident_id
"""
# Of a candidate only what it regressed: nobody uses it yet.
_FLIPS = """
    select run_id, model, route, example_id, criterion, criterion_version, arm, state, changed_from, answer,
        failing_reason
    from marts.fct_example_flips
    where
        day = ? and answer is not null
        and (
            (arm = 'pinned' and (state = 'flaky' or (state = 'fail' and changed_from = 'pass')))
            or (arm <> 'pinned' and flip = 'regressed')
        )
    order by arm <> 'pinned', state <> 'fail', md5(concat_ws(chr(31), day, example_id, criterion, model))
"""


@dataclass(frozen=True)
class Incidents:
    """The titles of the incidents above information, by the calls that show them and by what they are about."""

    by_call: Mapping[str, str] = field(default_factory=dict)
    by_value: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def suspects(self) -> Suspects:
        """What the pool has to look for."""
        return Suspects(list(self.by_call), list(self.by_value))

    def title_of(self, call: Mapping[str, Any]) -> str:
        """The title of the incident that a call is of; empty where it is of none."""
        told = {"model": call.get("model_served"), **{n: call.get(n) for n in ("release", "prompt_version")}}
        by_value = (title for (column, value), title in self.by_value.items() if told[column] == value)
        return self.by_call.get(call["call_id"]) or next(by_value, "")


@dataclass(frozen=True)
class Findings:
    """The incidents of a night, and the examples on which the pinned model changed or flickers, before those that a
    candidate regressed."""

    incidents: Incidents = Incidents()
    flips: Sequence[Mapping[str, Any]] = ()


def findings_of(marts: Marts, day: date) -> Findings:
    """What the marts have of a night; nothing, with a warning, where they were not built."""
    try:
        return Findings(_incidents(marts.query(_INCIDENTS, [day])), marts.query(_FLIPS, [day]))
    except (RunError, duckdb.CatalogException) as error:
        log.warning("the queue of %s is drawn without what the night found: %s", day, in_one_line(error))
        return Findings()


def _incidents(rows: Iterable[Mapping[str, Any]]) -> Incidents:
    by_call: dict[str, str] = {}
    by_value: dict[tuple[str, str], str] = {}
    for row in rows:
        evidence = json.loads(row["evidence_json"] or "{}")
        for call_id in evidence.get("example_call_ids") or ():
            by_call.setdefault(str(call_id), row["title"])
        if row["cause"] and (column := _COLUMNS.get(row["cause_kind"])):
            by_value.setdefault((column, row["cause"]), row["title"])
    return Incidents(by_call, by_value)

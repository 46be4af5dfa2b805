"""The versions of criteria on the record: a row of the lake's `criteria` for each, added when it comes into use.

Rows are only added; a version to which a criterion goes back has a row for each time. A criterion that cannot be
applied (its schema or Python file is broken), and a judge whose name waits for an environment variable, have no version
that scores are known by, and are not noted.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flows.config import unset_variables
from flows.evaluate.criteria import OUTPUT_SCHEMA, Criterion
from flows.evaluate.setup.eval_setup import EvalSetup
from flows.lake import Lake, from_rows

IDENTITY = {"model", "api_base", "params"}
"""The keys of a judge's model that are part of its criteria's versions."""


@dataclass(frozen=True)
class Version:
    """One version of a criterion as it is noted; `since` is the beginning of the night's day that first used it."""

    route: str
    criterion: str
    criterion_version: str
    definition_json: str
    since: datetime
    author: str | None = None
    reason: str | None = None


def current_versions(setup: EvalSetup, day: date) -> Iterator[Version]:
    """The versions of all criteria and output schemas that can be applied, as the night of `day` would note them."""
    since = datetime.combine(day, time(), ZoneInfo(setup.config.timezone))
    for route, schema in setup.output_schemas.items():
        if schema.problem is None:
            definition = json.dumps({"name": OUTPUT_SCHEMA, "kind": "json_schema"})
            yield Version(route, OUTPUT_SCHEMA, schema.version, definition, since)
    for route, criteria in setup.criteria.items():
        for one in criteria:
            if is_known(one):
                author, reason = one.definition.author, one.definition.reason
                yield Version(route, one.name, one.version, definition_json(one), since, author, reason)


def is_known(criterion: Criterion) -> bool:
    """Whether a criterion can be applied, and its version does not wait for an environment variable."""
    waits = criterion.judge and unset_variables(criterion.judge.model_dump(include=IDENTITY))
    return criterion.problem is None and not waits


def definition_json(criterion: Criterion) -> str:
    """The criterion as its file has it, as JSON, without what is no part of the definition."""
    written = criterion.definition.model_dump(
        mode="json", exclude_unset=True, by_alias=True, exclude={"author", "reason"}
    )
    return json.dumps(written, ensure_ascii=False)


def note_versions(setup: EvalSetup, day: date) -> int:
    """Add the versions that came into use to `criteria` of `day`; returns how many there were.

    A version comes into use where neither the newest of its criterion nor the newest up to `day` is the same.
    """
    lake = setup.config.open_lake()
    known = read_versions(lake)
    end = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(setup.config.timezone))
    newest = _newest(known)
    of_day = _newest(one for one in known if one.since < end)  # a night of the past that is run again
    new = [
        vars(_after(known, found))
        for found in current_versions(setup, day)
        if found.criterion_version not in (newest.get(_name(found)), of_day.get(_name(found)))
    ]
    if new:
        lake.write("criteria", day, from_rows([*lake.read("criteria", day).to_pylist(), *new], "criteria"))
    return len(new)


def _name(one: Version) -> tuple[str, str]:
    return one.route, one.criterion


def _newest(versions: Iterable[Version]) -> dict[tuple[str, str], str]:
    """The newest version of each criterion."""
    return {_name(one): one.criterion_version for one in sorted(versions, key=lambda one: one.since)}


def _after(known: list[Version], new: Version) -> Version:
    """A second version of one day is noted as a second later, so that their order is known."""
    name, day = _name(new), new.since.astimezone(UTC).date()
    of_day = [one.since for one in known if _name(one) == name and one.since.date() == day]
    return replace(new, since=max(of_day) + timedelta(seconds=1)) if of_day else new


def read_versions(lake: Lake) -> list[Version]:
    """All versions that were noted, the oldest first; of one day in the order in which they were noted."""
    rows = (row for day in lake.days("criteria") for row in lake.read("criteria", day).to_pylist())
    return [Version(**row) for row in rows]

"""How the series of pass rates goes on where a night evaluates another version of a holdout than the night before.

On that night both versions are run side by side: `parent_tasks` are the old ones, whose run `parent-<day>` reuses
tonight's answers to examples that both have. What the anchor, examples of both versions, says tonight compared with the
night before is what the model or the judge moved; the rest of the step is that other examples are asked. Both are
published, and no earlier number is changed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow.compute as pc

from flows.evaluate.generate import parent_run_id
from flows.evaluate.propose.holdout_file import Row
from flows.evaluate.setup import EvalSetup, EvalTask, read_task
from flows.lake import Lake, from_rows, nightly_run_id
from flows.stats.paired import NOTHING, Comparison, compare
from flows.stats.proportions import pass_rate
from flows.stats.repeats import PASS

Key = tuple[str, str]
"""Model and criterion."""
_NO_PAST = "the criterion has no scores of the night before"
_CHANGED = "the criterion itself changed"
_NO_ANCHOR = "no example is the same in both versions"


@dataclass
class _Scores:
    """The scores of one model by one criterion, by example, and the version of the criterion."""

    version: str
    by_example: dict[str, list[float]]


@dataclass(frozen=True)
class _Night:
    """A route's examples on one night: their version, and the content of each."""

    version: str
    contents: Mapping[str, tuple[str, str | None]]


def join_versions(lake: Lake, day: date, run_id: str, routes: Iterable[str]) -> int:
    """Write `holdout_joins` of a night: rows for the routes whose holdout has another version than the night before."""
    if run_id != nightly_run_id(day):
        return 0
    rows: list[dict[str, object]] = []
    for before, route in _changed(lake, day, run_id, routes):
        rows += _joined(lake, (before, day), route, _examples(lake, before, route), _examples(lake, day, route))
    if rows or lake.exists("holdout_joins", day, run_id):  # of a run before, when the file was another one
        lake.write("holdout_joins", day, from_rows(rows, "holdout_joins"), run_id)
    return len(rows)


def parent_tasks(setup: EvalSetup, day: date, run_id: str) -> list[EvalTask]:
    """The routes whose holdout has another version than the night before, each with the examples that it had then.

    None for a run that is not the night's. Raises ConfigError, as `read_tasks`.
    """
    lake = setup.config.open_lake()
    return [
        read_task(setup, lake, before, route)
        for before, route in _changed(lake, day, run_id, setup.config.evaluated_routes())
    ]


def _changed(lake: Lake, day: date, run_id: str, routes: Iterable[str]) -> list[tuple[date, str]]:
    """The routes with a new version, each with the night before. Of the examples only the versions are read."""
    before = _night_before(lake, day) if run_id == nightly_run_id(day) else None
    if before is None:
        return []
    old, new = _versions(lake, before), _versions(lake, day)
    return [(before, route) for route in routes if route in old and route in new and old[route] != new[route]]


def _night_before(lake: Lake, day: date) -> date | None:
    for one in reversed(lake.days("scores")):
        if one < day and lake.exists("scores", one, nightly_run_id(one)):
            return one
    return None


def _versions(lake: Lake, day: date) -> dict[str, str]:
    """The versions of the holdouts of a day, by route."""
    rows = lake.read("examples", day, columns=["set", "route", "version"])
    rows = rows.filter(pc.equal(rows["set"], "holdout")).group_by(["route", "version"]).aggregate([])
    return {row["route"]: row["version"] for row in rows.to_pylist()}


def _examples(lake: Lake, day: date, route: str) -> _Night:
    """The examples of a route that has some."""
    columns = ["set", "route", "example_id", "version", "messages_json", "expected_json"]
    rows = lake.read("examples", day, columns=columns)
    rows = rows.filter(pc.and_(pc.equal(rows["set"], "holdout"), pc.equal(rows["route"], route))).to_pylist()
    contents = {row["example_id"]: (row["messages_json"], row["expected_json"]) for row in rows}
    return _Night(rows[0]["version"], contents)


def _joined(lake: Lake, days: tuple[date, date], route: str, old: _Night, new: _Night) -> list[dict[str, object]]:
    before, day = days
    common = sorted(one for one, content in new.contents.items() if old.contents.get(one) == content)
    anchor = _anchor(lake, route, new.version, common)
    past, scores = (_scores(lake, one, route, nightly_run_id(one)) for one in (before, day))
    beside = _scores(lake, day, route, parent_run_id(day))
    rows: list[dict[str, object]] = []
    for key, tonight in sorted(scores.items()):
        known = past.get(key)
        found, reason = _paired(known, tonight, anchor)
        rate, of_parent = _rate(tonight), _rate(beside.get(key))
        rows.append(
            {
                "run_id": nightly_run_id(day),
                "route": route,
                "version": new.version,
                "parent": old.version,
                "parent_day": before,
                "model": key[0],
                "criterion": key[1],
                "n_examples": len(new.contents),
                "n_common": len(common),
                "n_anchor": found.n_examples,
                "pass_rate": rate,
                "pass_rate_before": _rate(known),
                "pass_rate_parent": of_parent,
                "composition": None if rate is None or of_parent is None else rate - of_parent,
                "delta": found.delta,
                "ci_low": found.low,
                "ci_high": found.high,
                "p_value": found.p_value,
                "reason": reason,
            }
        )
    return rows


def _paired(known: _Scores | None, tonight: _Scores, anchor: Sequence[str]) -> tuple[Comparison, str | None]:
    """Tonight minus the night before, on the anchor; nothing, with a reason, where these are not the same measure."""
    if known is None:
        return NOTHING, _NO_PAST
    if known.version != tonight.version:
        return NOTHING, _CHANGED
    if not anchor:
        return NOTHING, _NO_ANCHOR
    old, new = (
        {one: scores.by_example[one] for one in anchor if one in scores.by_example} for scores in (known, tonight)
    )
    is_graded = any(0 < score < 1 for scores in (*old.values(), *new.values()) for score in scores)
    return compare(old, new, by_mean=is_graded), None


def _rate(scores: _Scores | None) -> float | None:
    found = scores.by_example.values() if scores else ()
    return pass_rate([tuple(float(score >= PASS) for score in one) for one in found]).rate


def _anchor(lake: Lake, route: str, version: str, common: Sequence[str]) -> list[str]:
    """The anchor that was recorded with the version, as far as it is the same; all common examples where none was."""
    for day in reversed(lake.days("holdout_versions")):
        rows: list[Row] = lake.read("holdout_versions", day).to_pylist()
        for row in rows:
            if row["route"] == route and row["version"] == version and row["anchor_ids"]:
                return sorted(set(common) & set(row["anchor_ids"]))
    return list(common)


def _scores(lake: Lake, day: date, route: str, run_id: str) -> dict[Key, _Scores]:
    columns = ["subject", "route", "model", "example_id", "criterion", "criterion_version", "score"]
    found: dict[Key, _Scores] = {}
    for rows in lake.batches("scores", day, columns, run_id):
        for row in rows.filter(pc.and_(pc.equal(rows["route"], route), pc.is_valid(rows["score"]))).to_pylist():
            if row["subject"] == "completion":
                mine = found.setdefault(
                    (row["model"], row["criterion"]), _Scores(row["criterion_version"] or "", defaultdict(list))
                )
                mine.by_example[row["example_id"]].append(row["score"])
    return found

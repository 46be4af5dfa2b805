"""Labels to repeat after a criterion has changed: how many verdicts flip is the measure of its drift."""

import json
from datetime import date, timedelta
from typing import Any

from flows.evaluate.suggest.labelled_answers import read_labels
from flows.lake import Lake
from flows.stats.sample import rank

COUNT = 10
DRAW = "relabel"
DAYS = 28
"""How long after a version was noted its answers are queued; a run that is no night may note one under any day."""

Row = dict[str, Any]
_QUEUED = ("route", "criterion", "criterion_version", "draw")


def relabel_items(lake: Lake, day: date, count: int = COUNT) -> list[Row]:
    """Items for the queue of `day`: of each criterion that changed `count` answers that were labelled before.

    It is the version in use, noted in the 28 days up to `day`, of which no other day's queue has such items since.
    They have the new `criterion_version`, and are a simple random sample of the answers with a label by an older one,
    the same every time. Columns are those of `review_queue`, with `draw`, and `call_day` (null where it is not known).
    """
    items: list[Row] = []
    changed = _changed(lake, day)
    labels = read_labels(lake) if changed else []
    for (route, criterion), version in sorted(changed.items()):
        name = version["criterion_version"]
        older = {
            (row["subject"], row["subject_id"]): row
            for row in labels
            if (row["route"], row["criterion"]) == (route, criterion) and row["criterion_version"] != name
        }
        drawn = sorted(older, key=lambda key: rank(name, *key))[:count]
        items += [
            {
                "route": route,
                "subject": subject,
                "subject_id": subject_id,
                "criterion": criterion,
                "criterion_version": name,
                "question": _question(criterion, version["definition_json"]),
                "draw": DRAW,
                "call_day": older[subject, subject_id]["queue_day"],
            }
            for subject, subject_id in drawn
        ]
    return items


def _changed(lake: Lake, day: date) -> dict[tuple[str, str], Row]:
    """The versions in use on `day` that have a predecessor and whose repeated labels were not asked for yet."""
    noted: dict[tuple[str, str], list[tuple[date, Row]]] = {}
    for one in lake.days("criteria"):
        for row in lake.read("criteria", one).to_pylist() if one <= day else ():
            noted.setdefault((row["route"], row["criterion"]), []).append((one, row))
    begin = day - timedelta(days=DAYS)
    in_use = {name: max(found, key=lambda one: one[1]["since"]) for name, found in noted.items() if len(found) > 1}
    lately = {name: one for name, one in in_use.items() if one[0] > begin}
    if not lately:
        return {}
    first = min(noted_on for noted_on, _ in lately.values())
    asked = {
        (queue_day, row["route"], row["criterion"], row["criterion_version"])
        for queue_day in lake.days("review_queue")
        if queue_day >= first and queue_day != day
        for row in lake.read("review_queue", queue_day, columns=_QUEUED).to_pylist()
        if row["draw"] == DRAW
    }
    return {
        name: row
        for name, (noted_on, row) in lately.items()
        if not any(one[0] >= noted_on and one[1:] == (*name, row["criterion_version"]) for one in asked)
    }


def _question(criterion: str, definition_json: str | None) -> str:
    definition = json.loads(definition_json or "{}")
    return str(definition.get("question") or f"Does the answer pass the criterion {criterion}?")

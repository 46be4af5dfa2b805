"""What people say of answers: the labels in `annotations` that count, by criterion and answer."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flows.lake import Lake, in_force

Row = Mapping[str, Any]
Key = tuple[str, str, str]
"""Route, criterion and version of the criterion."""

_COLUMNS = (
    *("label_id", "subject", "subject_id", "route", "criterion", "criterion_version", "annotator", "at", "passed"),
    *("queue_day", "draw", "retracts"),
)
_RESOLVED = "disagreement"  # the draw of a third judgement, where two people disagree


@dataclass(frozen=True)
class Labelled:
    """What people say of one answer. `day` is that of the queue that it was in, or else that of the judgement."""

    label_id: str
    subject: str
    subject_id: str
    passed: bool
    day: date
    is_of_queue: bool


def labelled_answers(lake: Lake, last: date, keys: Collection[Key]) -> dict[Key, list[Labelled]]:
    """The answers of each of `keys` that people judged up to `last`, in the order of their ids.

    Labels that were taken back do not count, nor does anybody's label before a later one of the same answer. A third
    judgement of a disagreement decides; else most people do. Answers on which as many pass as fail are left out.
    """
    rows = [
        row
        for day in lake.days("annotations")
        if day <= last
        for row in lake.read("annotations", day, columns=_COLUMNS).to_pylist()
    ]
    latest: dict[Key, dict[tuple[str, str], dict[str, Row]]] = defaultdict(lambda: defaultdict(dict))
    for row in in_force(rows, "label_id"):
        key = (row["route"], row["criterion"], row["criterion_version"])
        if key in keys:
            latest[key][row["subject"], row["subject_id"]][row["annotator"]] = row
    found: dict[Key, list[Labelled]] = {}
    for key, of_answers in latest.items():
        decided = (_decided(list(of_answers[answer].values())) for answer in sorted(of_answers))
        found[key] = [one for one in decided if one is not None]
    return found


def retracted_labels(lake: Lake, last: date) -> set[str]:
    """The ids of the labels that were taken back up to `last`."""
    return {
        row
        for day in lake.days("annotations")
        if day <= last
        for row in lake.read("annotations", day, columns=("retracts",))["retracts"].to_pylist()
        if row
    }


def _decided(labels: list[Row]) -> Labelled | None:
    labels = [row for row in labels if row["passed"] is not None]
    labels = [row for row in labels if row["draw"] == _RESOLVED] or labels
    passes = sum(row["passed"] for row in labels)
    if 2 * passes == len(labels):
        return None
    passed = 2 * passes > len(labels)
    one = next(row for row in labels if row["passed"] == passed)
    day = one["queue_day"] or one["at"].date()
    return Labelled(
        one["label_id"], one["subject"], one["subject_id"], passed, day, is_of_queue=one["queue_day"] is not None
    )

"""What another tool's file has changed since it was imported: each such label is taken back, and given anew."""

from collections.abc import Iterable, Iterator
from typing import Any

from flows.lake import SCHEMAS, Lake, rows_with
from flows.review.labels.foreign_labels import id_of

Row = dict[str, Any]

_SAID = ("passed", "failure_mode")


def as_corrected(lake: Lake, rows: Iterable[Row]) -> Iterator[Row]:
    """The rows of a file, each with its first id, as rows to add: those that say something new have an id of their own,
    and a withdrawal of what was imported before.

    New is another verdict or failure mode, and a version of the criterion where none was known. Later ids follow from
    the first one, so that a file that is imported again adds nothing. Of rows with the same id the first one counts.
    """
    firsts = {row["label_id"]: row for row in reversed(list(rows))}
    newest: dict[str, Row | None] = dict.fromkeys(firsts)
    asked = {first: first for first in firsts}  # the id to look for, by the first one
    while found := _stored(lake, set(asked.values())):
        for first, sought in list(asked.items()):
            if sought in found:
                newest[first], asked[first] = found[sought], id_of(f"{sought}/corrected")
            else:
                del asked[first]
    for first, row in firsts.items():
        before = newest[first]
        if before is None:
            yield row
        elif _is_new(row, before):
            yield row | {"label_id": id_of(f"{before['label_id']}/corrected")}
            yield _withdrawal(before, row)


def _is_new(row: Row, before: Row) -> bool:
    said = any(row[name] != before[name] for name in _SAID)
    return said or (before["criterion_version"] is None and row["criterion_version"] is not None)


def _withdrawal(before: Row, row: Row) -> Row:
    """The row that takes `before` back, at the time of the label that takes its place."""
    same = {name: before[name] for name in ("subject", "subject_id", "route", "criterion", "criterion_version")}
    return (
        dict.fromkeys(SCHEMAS["annotations"].names)
        | same
        | {
            "label_id": id_of(f"{before['label_id']}/taken back"),
            "annotator": before["annotator"],
            "annotator_kind": before["annotator_kind"],
            "at": row["at"],
            "retracts": before["label_id"],
        }
    )


def _stored(lake: Lake, label_ids: set[str]) -> dict[str, Row]:
    if not label_ids:
        return {}
    days = (rows_with(lake, "annotations", day, key="label_id", values=label_ids) for day in lake.days("annotations"))
    return {row["label_id"]: row for found in days for row in found.to_pylist()}

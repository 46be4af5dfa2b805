"""From what a browser sends to rows of the lake: checked, and with the draw taken from the queue.

A request names the answer, the criterion and its version; what it says about the draw is not listened to.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from flows.lake import SCHEMAS
from flows.outgoing import plain
from flows.review.labels import Entry, LabelStore
from flows.review.page.queue_items import Item
from flows.review.page.sent_back import as_stored

VERDICTS: dict[str, bool | None] = {"pass": True, "fail": False, "unsure": None}
RETRACT, TYPED = "retract", "typed"
RESOLUTION = "disagreement"
"""The `draw` of a third judgement about an answer on which two people disagree."""

_DRAWN = (
    "draw", "inclusion_probability", "stratum", "stratum_size", "sample_size", "judge", "judge_verdict",
)  # fmt: skip
_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_LONGEST_MODE, _LONGEST_NOTE, _MOST_SECONDS = 120, 5_000, 3_600.0


class RefusedError(Exception):
    """What was sent cannot become a label, and would not become one if it were sent again; the message says why."""


def rows_of(
    form: Mapping[str, str], item: Item, annotator: str, day: date, store: LabelStore, *, is_resolution: bool = False
) -> list[Entry]:
    """The rows to write for one request: a label, before it the withdrawal of an earlier one, or a withdrawal alone.

    Empty where there is nothing to take back. Raises RefusedError.
    """
    label_id = form.get("label_id", "")
    if not _ID.fullmatch(label_id):
        raise RefusedError("label_id must be 8 to 64 letters, digits, - or _")
    if form.get("criterion_version", "") != plain(item.row["criterion_version"] or ""):
        raise RefusedError("the criterion has another version by now; load the page again")
    mine = live_label_of(item, annotator, store, is_resolution=is_resolution)
    if mine and mine["label_id"] == label_id:  # this request, sent again: a label never takes itself back
        return []
    about = _about(item, annotator, day) | ({"draw": RESOLUTION} if is_resolution else {})
    verdict = form.get("verdict", "")
    if verdict == RETRACT:
        return [_withdrawal(about, label_id, mine)] if mine else []
    mode = " ".join((form.get("mode") or form.get("failure_mode") or "").split())[:_LONGEST_MODE]
    if form.get("mode") or (verdict == TYPED and mode):
        verdict = "fail"
    if verdict not in VERDICTS:
        raise RefusedError(f"verdict must be one of {', '.join(VERDICTS)} and {RETRACT}")
    passed = VERDICTS[verdict]
    label = about | {
        "label_id": label_id,
        "passed": passed,
        "failure_mode": mode if mode and passed is False else None,
        "note": as_stored(form.get("note", ""), (mine or {}).get("note") or "").strip()[:_LONGEST_NOTE] or None,
        "blind": not is_resolution and not store.was_judged_by(item.name, annotator),
        "seconds": _seconds(form.get("seconds", "")),
    }
    if not is_resolution:
        label |= {name: item.row[name] for name in _DRAWN}
    before = [_withdrawal(about, f"{label_id}-r", mine)] if mine else []
    return [*before, Entry("annotations", _whole(label))]


def live_label_of(
    item: Item, annotator: str, store: LabelStore, *, is_resolution: bool = False
) -> dict[str, Any] | None:
    """The person's label on an item that was not taken back."""
    for row in reversed(store.labels_on(item.name)):
        if row["annotator"] == annotator and (row["draw"] == RESOLUTION) == is_resolution:
            return row
    return None


def _about(item: Item, annotator: str, day: date) -> dict[str, Any]:
    named = ("subject", "subject_id", "route", "criterion", "criterion_version")
    return {name: item.row[name] for name in named} | {
        "annotator": annotator,
        "annotator_kind": "person",
        "at": datetime.now(UTC),
        "queue_day": day,
    }


def _withdrawal(about: dict[str, Any], label_id: str, mine: dict[str, Any]) -> Entry:
    return Entry("annotations", _whole(about | {"label_id": label_id, "draw": None, "retracts": mine["label_id"]}))


def _whole(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row.get(name) for name in SCHEMAS["annotations"].names}


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return round(min(seconds, _MOST_SECONDS), 1) if seconds >= 0 else None

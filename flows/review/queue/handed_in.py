"""Answers that other parts of a night hand into its queue, to be judged again."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flows.lake import Lake, from_rows, rows_with
from flows.review.queue.item_texts import item_json

Row = dict[str, Any]
_DRAW = "relabel"
_REASON = "judged before, and the criterion has changed since"
_NOT_DRAWN = ("stratum", "stratum_size", "sample_size", "inclusion_probability")


def add_items(lake: Lake, day: date, items: Sequence[Mapping[str, Any]]) -> int:
    """Put answers that were judged by an earlier version of a criterion into the queue of `day`, after what was drawn.

    Their `draw` is `relabel`. Returns how many of them the queue now has.

    An item has the columns of `review_queue` that its giver knows; route, subject, subject_id, criterion,
    criterion_version and question at least. What the page shows is taken from the newest queue that had the answer, or
    from the call's day where the item names it as `call_day`. An item of which nothing can be shown is left out. Those
    that the queue had are replaced, unless labels hang on them; nobody labels any into the lake meanwhile.
    """
    with lake.lock("review"):
        return _added(lake, day, items)


def _added(lake: Lake, day: date, items: Sequence[Mapping[str, Any]]) -> int:
    if _is_labelled(lake, day):
        return len(lake.read("review_queue", day, _DRAW))
    shown = _shown_before(lake, {item["subject_id"] for item in items if not item.get("item_json")})
    last = max(lake.read("review_queue", day, "data", ["position"])["position"].to_pylist(), default=0)
    rows: list[Row] = []
    for item in items:
        texts = item.get("item_json") or shown.get(item["subject_id"]) or _of_call(lake, item)
        if texts:
            known = {name: value for name, value in item.items() if name != "call_day"}
            own = {"draw": _DRAW, "is_second": False, "item_json": texts} | dict.fromkeys(_NOT_DRAWN)
            rows.append({"reason": _REASON} | known | own | {"position": last + len(rows) + 1})
    if rows:
        lake.write("review_queue", day, from_rows(rows, "review_queue"), _DRAW)
    else:
        lake.remove("review_queue", day, _DRAW)
    return len(rows)


def _is_labelled(lake: Lake, day: date) -> bool:
    for given in lake.days("annotations"):
        if given >= day:
            found = lake.read("annotations", given, columns=["queue_day", "draw"]).to_pylist()
            if {"queue_day": day, "draw": _DRAW} in found:
                return True
    return False


def _shown_before(lake: Lake, subject_ids: set[str]) -> dict[str, str]:
    """What the newest queue that had each of the answers shows of it."""
    shown: dict[str, str] = {}
    for day in reversed(lake.days("review_queue")):
        missing = subject_ids - shown.keys()
        if not missing:
            break
        columns = ("subject_id", "item_json")
        found = rows_with(lake, "review_queue", day, key="subject_id", values=missing, columns=columns)
        shown |= {row["subject_id"]: row["item_json"] for row in found.to_pylist() if row["item_json"]}
    return shown


def _of_call(lake: Lake, item: Mapping[str, Any]) -> str | None:
    day = item.get("call_day")
    if day is None or item["subject"] != "interaction":
        return None
    found = rows_with(lake, "interactions", day, key="call_id", values=[item["subject_id"]]).to_pylist()
    return item_json(found[0], context={}) if found else None

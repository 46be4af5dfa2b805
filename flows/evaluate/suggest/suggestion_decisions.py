"""What people decided about suggestions: rows of `review_decisions` of the kind `suggestion`."""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flows.lake import Lake, from_rows, in_force

Row = dict[str, Any]

KIND = "suggestion"


def decided(lake: Lake) -> dict[str, Row]:
    """The newest decision about each suggestion, by its id; those that were taken back do not count."""
    rows = [row for day in lake.days("review_decisions") for row in lake.read("review_decisions", day).to_pylist()]
    return {row["subject_id"]: row for row in in_force(rows, "decision_id") if row["kind"] == KIND}


def record(lake: Lake, suggestion_id: str, annotator: str, *, accepted: bool, value: str | None = None) -> None:
    """Add a decision of now, in a file of its own."""
    now, decision_id = datetime.now(UTC), secrets.token_hex(16)
    row: Mapping[str, Any] = {
        "decision_id": decision_id,
        "kind": KIND,
        "subject_id": suggestion_id,
        "annotator": annotator,
        "at": now,
        "accepted": accepted,
        "value_json": value,
    }
    with lake.lock("criteria"):
        lake.write("review_decisions", now.date(), from_rows([dict(row)], "review_decisions"), decision_id)

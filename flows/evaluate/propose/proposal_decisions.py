"""What people decided of proposals: rows of `review_decisions` of the kind `proposal`, which are only ever added."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flows.lake import Lake, from_rows, in_force

KIND = "proposal"


@dataclass(frozen=True)
class Decision:
    """The newest decision about a proposal. `expected` is what the person corrected it to, None where nothing."""

    proposal_id: str
    is_accepted: bool
    expected: Any = None


def read_decisions(lake: Lake) -> dict[str, Decision]:
    """The newest decision about each proposal that was not taken back, by proposal_id."""
    rows = [row for day in lake.days("review_decisions") for row in lake.read("review_decisions", day).to_pylist()]
    return {
        row["subject_id"]: Decision(row["subject_id"], row["accepted"], _value(row["value_json"]))
        for row in in_force(rows, "decision_id")
        if row["kind"] == KIND and row["accepted"] is not None
    }


def decide(lake: Lake, proposal_id: str, annotator: str, at: datetime, *, is_accepted: bool, expected: Any) -> None:
    """Add a decision, as one file. The caller holds the lake's lock."""
    key = "\x1f".join((KIND, proposal_id, annotator, at.isoformat()))
    decision_id = hashlib.sha256(key.encode(errors="replace")).hexdigest()[:16]
    row: dict[str, object] = {
        "decision_id": decision_id,
        "kind": KIND,
        "subject_id": proposal_id,
        "annotator": annotator,
        "at": at,
        "accepted": is_accepted,
        "value_json": None if expected is None else json.dumps(expected, ensure_ascii=False),
    }
    lake.write("review_decisions", at.date(), from_rows([row], "review_decisions"), f"decision-{decision_id}")


def _value(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text

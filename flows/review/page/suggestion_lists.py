"""What waits for a decision: suggested criteria and proposed examples of the holdout, as the lake has them."""

import json
from collections.abc import Mapping
from typing import Any

from flows.lake import Lake

Row = dict[str, Any]

# The kinds of decisions: the table, and the column of its id.
KINDS = {"suggestion": ("criterion_suggestions", "suggestion_id"), "proposal": ("holdout_proposals", "proposal_id")}
_MOST_EXAMPLES, _LONGEST_EXAMPLE, _DAYS_SEARCHED = 3, 1_500, 60


class Suggestions:
    """The suggestions and proposals of the newest day that has some. `reread` looks again."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self.rows: dict[str, dict[str, Row]] = {}
        self._examples: dict[str, Row] = {}
        self.reread()

    def reread(self) -> None:
        """Read the tables again."""
        self.rows = {kind: self._newest(table, key) for kind, (table, key) in KINDS.items()}

    def waiting(self, decisions: Mapping[tuple[str, str], Row]) -> dict[str, list[Row]]:
        """By kind, those about which nobody has decided; suggestions in the order of their rank."""
        return {
            kind: sorted(
                (row for key, row in rows.items() if (kind, key) not in decisions),
                key=lambda row: (row.get("rank") is None, row.get("rank") or 0),
            )
            for kind, rows in self.rows.items()
        }

    def examples_of(self, row: Row) -> list[Row]:
        """The calls that a suggestion names as examples, with their texts, cut; at most three."""
        wanted = [str(call) for call in row.get("example_ids") or ()][:_MOST_EXAMPLES]
        missing = [call for call in wanted if call not in self._examples]
        if missing:
            from flows.lake import rows_with  # noqa: PLC0415 - only where examples are shown

            columns = ("call_id", "input_text", "output_text")
            for day in list(reversed(self._lake.days("interactions")))[:_DAYS_SEARCHED]:
                found = rows_with(self._lake, "interactions", day, key="call_id", values=missing, columns=columns)
                for call in found.to_pylist():
                    self._examples[call["call_id"]] = {name: _cut(call[name]) for name in columns}
                missing = [call for call in missing if call not in self._examples]
                if not missing:
                    break
        return [self._examples[call] for call in wanted if call in self._examples]

    def _newest(self, table: str, key: str) -> dict[str, Row]:
        for day in reversed(self._lake.days(table)):
            if rows := self._lake.read(table, day).to_pylist():
                return {str(row[key]): row for row in rows}
        return {}


def laid_out(text: str | None) -> str:
    """A definition with a line for each key, to read and to edit; what is no JSON as it is."""
    try:
        return json.dumps(json.loads(text or "{}"), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text or ""


def _cut(text: str | None) -> str:
    whole = text or ""
    return whole if len(whole) <= _LONGEST_EXAMPLE else f"{whole[:_LONGEST_EXAMPLE]}\N{HORIZONTAL ELLIPSIS}"

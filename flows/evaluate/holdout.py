"""The frozen holdout of a night, as the lake holds it."""

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow.compute as pc

from flows.lake import Lake


@dataclass(frozen=True)
class Example:
    """One example of a holdout. `expected` is None where the holdout names nothing; `row` is its line as a dict."""

    example_id: str
    version: str
    messages: tuple[dict[str, Any], ...]
    expected: Any = None
    tags: dict[str, Any] = field(default_factory=dict)
    row: dict[str, Any] = field(default_factory=dict)

    @property
    def expected_text(self) -> str | None:
        """What is expected as text: a text itself, all else as JSON."""
        if self.expected is None or isinstance(self.expected, str):
            return self.expected
        return json.dumps(self.expected, ensure_ascii=False, sort_keys=True)


def read_holdout(lake: Lake, day: date, route: str) -> list[Example]:
    """The holdout of `route` that was frozen on `day`, by example_id; empty where there is none."""
    frozen = lake.read("examples", day)
    mine = frozen.filter(pc.and_(pc.equal(frozen["set"], "holdout"), pc.equal(frozen["route"], route)))
    return sorted(map(_example, mine.to_pylist()), key=lambda example: example.example_id)


def _example(row: dict[str, Any]) -> Example:
    messages = json.loads(row["messages_json"])
    expected = None if row["expected_json"] is None else json.loads(row["expected_json"])
    tags = json.loads(row["tags"]) if row["tags"] else {}
    as_given = {
        "example_id": row["example_id"],
        "input": row["input_text"],
        "messages": messages,
        "expected": expected,
        "route": row["route"],
        "tags": tags,
    }
    return Example(row["example_id"], row["version"], tuple(messages), expected, tags, as_given)

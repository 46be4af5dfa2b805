"""The holdout and dev set as they were frozen in the lake for a night."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, overload

import pyarrow as pa
import pyarrow.compute as pc

from flows.lake import SCHEMAS, Lake

_COLUMNS = ["example_id", "version", "route", "messages_json", "input_text", "expected_json", "tags"]


@dataclass(frozen=True)
class Example:
    """One example of a holdout. `expected` is None if the holdout has none; `row` is its line as a dict."""

    example_id: str
    version: str
    messages: tuple[dict[str, Any], ...]
    expected: Any = None
    tags: dict[str, Any] = field(default_factory=dict)
    row: dict[str, Any] = field(default_factory=dict)

    @property
    def question(self) -> str:
        """The text of the last user message."""
        return str(self.row.get("input") or "")

    @property
    def expected_text(self) -> str | None:
        """`expected` as text: strings unchanged, other values as JSON."""
        return None if self.expected is None else as_text(self.expected)


def as_text(expected: Any) -> str:
    """What is expected as text: strings unchanged, other values as JSON."""
    return expected if isinstance(expected, str) else json.dumps(expected, ensure_ascii=False, sort_keys=True)


class Holdout(Sequence[Example]):
    """Examples in the order of their ids. Stored as Arrow columns; objects are created on access."""

    def __init__(self, rows: pa.Table) -> None:
        ordered = rows.take(pc.sort_indices(rows["example_id"])).combine_chunks()
        self._columns = {name: ordered[name] for name in _COLUMNS}
        self._length = len(ordered)

    def __len__(self) -> int:
        return self._length

    @property
    def ids(self) -> list[str]:
        """The example_ids, in order, without creating the examples."""
        found: list[str] = self._columns["example_id"].to_pylist()
        return found

    @overload
    def __getitem__(self, place: int) -> Example: ...
    @overload
    def __getitem__(self, place: slice) -> list[Example]: ...
    def __getitem__(self, place: int | slice) -> Example | list[Example]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(self._length))]
        if not -self._length <= place < self._length:
            raise IndexError(place)
        return _example({name: column[place % self._length].as_py() for name, column in self._columns.items()})


def read_holdout(lake: Lake, day: date, route: str) -> Holdout:
    """The holdout of `route` that was frozen on `day`, by example_id; empty if there is none."""
    return _read(lake, day, lambda rows: pc.and_(pc.equal(rows["set"], "holdout"), pc.equal(rows["route"], route)))


def read_labelled_dev_set(lake: Lake, day: date, route: str) -> Holdout:
    """The examples of the dev set that have `expected`, of `route` or of no route, as they were frozen on `day`."""

    def is_mine(rows: pa.Table) -> Any:
        of_route = pc.fill_null(pc.equal(rows["route"], route), True)
        return pc.and_(pc.and_(pc.equal(rows["set"], "dev"), of_route), pc.is_valid(rows["expected_json"]))

    return _read(lake, day, is_mine)


def labelled_in_file(path: Path, route: str | None = None) -> list[Example]:
    """The examples with `expected` in the file of a test set; with `route`, only those of it or of no route.

    For checks before a night. Lines that cannot be read are skipped here; freezing reports them.
    """
    found = []
    for line in path.read_bytes().splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if not isinstance(row, dict) or row.get("expected") is None:
            continue
        if route is None or row.get("route") in (None, route):
            text = row.get("input") or json.dumps(row.get("messages"))
            found.append(Example(str(row.get("example_id")), "", (), row["expected"], row={"input": text}))
    return found


def _read(lake: Lake, day: date, is_wanted: Callable[[pa.Table], Any]) -> Holdout:
    parts = [SCHEMAS["examples"].empty_table().select(_COLUMNS)]
    for rows in lake.batches("examples", day, ("set", *_COLUMNS)):
        parts.append(rows.filter(is_wanted(rows)).select(_COLUMNS))
    return Holdout(pa.concat_tables(parts))


def topics_of(lake: Lake, day: date, route: str) -> dict[str, str]:
    """The topic labels of the holdout's inputs by example_id, from the day's `topics`; empty if there are none.

    If two topics of the route share a label, the id is added. An example far from every topic is missing.
    """
    catalog = lake.read("topic_catalog", day, columns=["route", "topic_id", "label"]).to_pylist()
    labels = {row["topic_id"]: row["label"] or row["topic_id"] for row in catalog if row["route"] == route}
    shared = {label for label, count in Counter(labels.values()).items() if count > 1}
    rows = lake.read("topics", day, columns=["call_id", "origin", "route", "topic_id", "is_novel"])
    rows = rows.filter(pc.and_(pc.equal(rows["origin"], "holdout"), pc.equal(rows["route"], route)))
    found = {row["call_id"]: row["topic_id"] for row in rows.to_pylist() if not row["is_novel"]}
    names = {topic: f"{label} ({topic})" if label in shared else label for topic, label in labels.items()}
    return {example: names.get(topic, topic) for example, topic in found.items()}


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

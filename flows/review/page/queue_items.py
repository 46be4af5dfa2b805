"""The queue of a day as the page shows it: each answer once, with its conversation."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flows.lake import Lake
from flows.review.labels import Name, name_of
from flows.text_marks import Piece, pieces

Row = dict[str, Any]

_KINDS = ("text", "json", "tool_call", "tool_result", "image", "file", "other")
_TOOLS = ("tool_call", "tool_result")
_LONGEST_MARKED = 6_000  # characters of two answers that are compared word by word; longer ones would take seconds


@dataclass(frozen=True)
class Part:
    """A piece of a message. `cut` are the characters of the whole text where it was cut. `marks` are differences."""

    kind: str
    name: str | None
    text: str
    cut: int | None = None
    marks: tuple[Piece, ...] = ()


@dataclass(frozen=True)
class Message:
    """What one side said."""

    role: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Item:
    """One answer to judge by one criterion. `row` is its row in the queue, from which its labels take the draw.

    Of a pairwise comparison, `other` is the other answer, and `is_swapped` says that it is shown first: by a hash, so
    that neither side is always the same one. `model` and the judge's verdict are hidden until the item is judged.
    """

    number: int
    row: Row
    is_second: bool
    messages: tuple[Message, ...]
    answer: tuple[Part, ...]
    other: tuple[Part, ...] | None
    expected: str | None
    context: tuple[tuple[str, str], ...]
    call: Mapping[str, Any]
    model: str | None

    @property
    def name(self) -> Name:
        """By which labels name it."""
        return name_of(self.row)

    @property
    def is_swapped(self) -> bool:
        """Whether the other answer of a pair is shown first."""
        return self.other is not None and hashlib.sha256(self.row["subject_id"].encode()).digest()[0] % 2 == 1

    @property
    def tools(self) -> tuple[Part, ...]:
        """The calls of tools and their results, in order."""
        parts = [part for message in self.messages for part in message.parts] + list(self.answer)
        return tuple(part for part in parts if part.kind in _TOOLS)


def newest_day(lake: Lake) -> date | None:
    """The newest day with a queue that is not empty."""
    for day in reversed(lake.days("review_queue")):
        if lake.read("review_queue", day, columns=["position"]).num_rows:
            return day
    return None


def read_queue(lake: Lake, day: date) -> list[Item]:
    """The items of a day, in the queue's order; a row for a second annotator is the same item as that for the first."""
    rows = lake.read("review_queue", day).to_pylist()
    rows.sort(key=lambda row: (row["position"] is None, row["position"] or 0, bool(row["is_second"])))
    first: dict[Name, Row] = {}
    doubled = {name_of(row) for row in rows if row["is_second"]}
    for row in rows:
        first.setdefault(name_of(row), row)
    return [_item(number, row, name in doubled) for number, (name, row) in enumerate(first.items(), 1)]


def _item(number: int, row: Row, is_second: bool) -> Item:
    shown = _object(_parsed(row["item_json"]))
    answer = _parts(_object(shown.get("answer")))
    given = shown.get("other_answer")
    other = _parts(given) if isinstance(given, dict) else None
    if other is not None:
        answer, other = _marked(answer, other), _marked(other, answer)
    return Item(
        number=number,
        row=row,
        is_second=is_second,
        messages=tuple(
            Message(str(message.get("role") or "message"), _parts(message)) for message in _dicts(shown.get("messages"))
        ),
        answer=answer,
        other=other,
        expected=_text_or_none(shown.get("expected")),
        context=tuple(
            (str(one.get("title") or "context"), str(one.get("text") or "")) for one in _dicts(shown.get("context"))
        ),
        call=_object(shown.get("call")),
        model=_text_or_none(shown.get("model")),
    )


def _parts(message: Mapping[str, Any]) -> tuple[Part, ...]:
    return tuple(
        Part(
            kind=part["type"] if part.get("type") in _KINDS else "other",
            name=_text_or_none(part.get("name")),
            text=_laid_out(str(part.get("text") or ""), part.get("type")),
            cut=part["cut"] if isinstance(part.get("cut"), int) else None,
        )
        for part in _dicts(message.get("parts"))
    )


def _laid_out(text: str, kind: object) -> str:
    """JSON with a line for each value; what is none, or was cut, as it is."""
    if kind not in ("json", *_TOOLS):
        return text
    found = _parsed(text)
    try:
        return json.dumps(found, ensure_ascii=False, indent=2) if isinstance(found, dict | list) else text
    except RecursionError:  # less deep than what can be read
        return text


def _marked(parts: tuple[Part, ...], others: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts of one answer, with what the same part of the other one does not have marked."""
    return tuple(
        replace(part, marks=pieces(part.text, other.text))
        if other is not None and max(len(part.text), len(other.text)) <= _LONGEST_MARKED
        else part
        for part, other in zip(parts, [*others, *[None] * len(parts)], strict=False)
    )


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text_or_none(value: Any) -> str | None:
    return None if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

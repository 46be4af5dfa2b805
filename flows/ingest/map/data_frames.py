"""Spans out of a data frame, a row each: its columns are `context.span_id`, `attributes.llm.model_name` and so on."""

import json
from collections.abc import Iterator
from typing import Any

_SPAN = "context.span_id"
_ATTRIBUTE = "attributes."
# A list within lists within lists is no message's.
_DEEPEST = 6


def span_of_row(raw: str | None) -> str | None:
    """The row as the JSON of one span; null for what is no row of such a frame.

    Lists of objects become attributes with an index, as OpenTelemetry writes them: `llm.input_messages.0.message.role`.
    """
    try:
        row = json.loads(raw or "null")
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or _SPAN not in row:
        return None
    attributes: dict[str, Any] = {}
    for name, value in row.items():
        if name.startswith(_ATTRIBUTE) and value is not None:
            attributes.update(_flat(name.removeprefix(_ATTRIBUTE), value))
    kind = row.get("span_kind")
    if isinstance(kind, str) and kind.upper() != "UNKNOWN":
        attributes.setdefault("openinference.span.kind", kind)
    span = {name: value for name, value in row.items() if not name.startswith((_ATTRIBUTE, "context."))}
    events = span.get("events")
    span["events"] = events if isinstance(events, list) else None
    span["context"] = {name: row.get(f"context.{name}") for name in ("trace_id", "span_id")}
    return json.dumps({**span, "attributes": attributes})


def _flat(name: str, value: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """The attributes that a value comes to; a list of objects may also stand as JSON in a text."""
    items = _objects(value)
    if items is None or depth > _DEEPEST:
        yield name, value
        return
    for place, item in enumerate(items):
        for key, inner in item.items():
            if inner is not None:
                yield from _flat(f"{name}.{place}.{key}", inner, depth + 1)


def _objects(value: Any) -> list[dict[str, Any]] | None:
    """A list of objects with dotted names, as messages and documents have; None for all else."""
    if isinstance(value, str) and value.startswith("[{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return value if all("." in key for item in value for key in item) else None
    return None

"""The records within one line of a log, each as a line of its own: an export request of spans, a page of an API.

A line is read as a whole. Only where that fails are its records read one by one, so that only what fails is refused.
"""

import json
from collections.abc import Iterator
from typing import Any

_GROUPS = ("resourceSpans", "resource_spans", "batches", "resourceLogs", "resource_logs")
_SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans", "scopeLogs", "scope_logs")
_ITEMS = ("spans", "logRecords", "log_records")


def line_parts(raw: str) -> list[str]:
    """The JSON of each span, log record or item of a page, in what stands around it; [] for a line of one record."""
    try:
        value = json.loads(raw)
        found = list(_parts(value)) if isinstance(value, dict) else []
        return [json.dumps(part) for part in found] if len(found) > 1 else []
    except (ValueError, RecursionError):
        return []


def _parts(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The value once for each of its items, with that item alone in its lists."""
    for name in (*_GROUPS, *_SCOPES, *_ITEMS, "data"):
        if isinstance(several := value.get(name), list):
            around = {other: inner for other, inner in value.items() if not isinstance(inner, list)}
            for item in several:
                inner = _parts(item) if name in (*_GROUPS, *_SCOPES) and isinstance(item, dict) else [item]
                yield from ({**around, name: [part]} for part in inner)

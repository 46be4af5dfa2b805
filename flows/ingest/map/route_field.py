"""The route of a call by a field of its record: `sources[].route` where that is a path.

A path goes through objects and lists, and through JSON that stands in a text. Of spans and log records the record is
the span itself, its attributes by their names, and its resource as `resource`.
"""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.ingest.map.chat_message import opened_text
from flows.ingest.map.rejects import places

Steps = Sequence[str | int | None]
_SCALARS = ("stringValue", "intValue", "doubleValue", "boolValue")


def with_field_routes(rows: pa.Table, records: pa.Table, path: Steps) -> pa.Table:
    """The rows with what stands at `path` in their record as `route`, where it is a text, a number or a boolean.

    `rows` have file, line and route, and may have `unit`, their own JSON where a line holds several records.
    """
    units = rows.column("unit") if "unit" in rows.column_names else pa.nulls(len(rows), pa.string())
    wanted = pc.is_null(units)
    raws: dict[tuple[int, int], str] = {}
    if pc.any(wanted).as_py():
        raws = dict(zip(places(records), records.column("raw").to_pylist(), strict=True))
    found = [
        field_at(raws.get(place, "") if unit is None else unit, path) or logged
        for place, unit, logged in zip(places(rows), units.to_pylist(), rows.column("route").to_pylist(), strict=True)
    ]
    return rows.set_column(rows.column_names.index("route"), "route", pa.array(found, pa.string()))


def field_at(record: str, path: Steps) -> str | None:
    """What stands at a path in a record, as a text; None where nothing does, or more than one value."""
    try:
        value = _of_span(json.loads(record))
    except (ValueError, RecursionError):
        return None
    for step in path:
        value = _stepped(opened_text(value) if isinstance(value, str) else value, step)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) and value != "" else None


def _of_span(record: Any) -> Any:
    """A span or log record with its resource, out of an export request that holds it alone."""
    for whole, scopes, items in (("resourceSpans", "scopeSpans", "spans"), ("resourceLogs", "scopeLogs", "logRecords")):
        if isinstance(record, dict) and whole in record:
            resource = _stepped(record[whole], 0)
            item = _stepped(_stepped(_stepped(_stepped(resource, scopes), 0), items), 0)
            if isinstance(item, dict) and isinstance(resource, dict):
                return {**item, "resource": resource.get("resource")}
    return record


def _stepped(value: Any, step: str | int | None) -> Any:
    if isinstance(value, dict):
        value = value.get(step) if isinstance(step, str) else None
    elif isinstance(value, list) and isinstance(step, str):  # attributes of OTLP
        named = (item.get("value") for item in value if isinstance(item, dict) and item.get("key") == step)
        value = next(named, None)
    elif isinstance(value, list):
        place = 0 if step is None else step
        value = value[place] if isinstance(place, int) and -len(value) <= place < len(value) else None
    else:
        return None
    if isinstance(value, dict) and len(value) == 1 and (kind := next(iter(value))) in _SCALARS:
        return value[kind]
    return value

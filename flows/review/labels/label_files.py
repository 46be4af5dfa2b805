"""Labels as files: what `genchi labels export` writes, and `import` reads back: CSV or JSONL, a row for each label.

The columns are those of the lake's table `annotations`. In CSV an empty field is null, `true` and `false` are flags,
and texts that a spreadsheet would run as a formula get an apostrophe before them, which `import` takes away again.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from flows.lake import SCHEMAS, Lake

Row = dict[str, Any]

_SCHEMA = SCHEMAS["annotations"]
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def labels_of(lake: Lake) -> Iterator[Row]:
    """Every label of the lake, withdrawals too, by day and time."""
    for day in lake.days("annotations"):
        rows = lake.read("annotations", day).to_pylist()
        yield from sorted(rows, key=lambda row: (row["at"], row["label_id"]))


def as_jsonl(rows: Iterable[Row]) -> Iterator[str]:
    """A line of JSON for each label."""
    for row in rows:
        yield json.dumps({name: _written(row[name]) for name in _SCHEMA.names}, ensure_ascii=False)


def as_csv(rows: Iterable[Row]) -> Iterator[str]:
    """The lines of a CSV file, the first with the names of the columns. Texts keep their line ends, quoted."""
    yield _csv_line(_SCHEMA.names)
    for row in rows:
        yield _csv_line([_cell(row[field.name], is_text=pa.types.is_string(field.type)) for field in _SCHEMA])


def row_of(given: Mapping[str, Any]) -> Row:
    """The label of one exported row, from JSON or CSV. Raises ValueError with what is wrong with it."""
    unknown = set(given) - set(_SCHEMA.names)
    if unknown:
        raise ValueError(f"unknown column {sorted(map(str, unknown))[0]!r}")
    row = {field.name: _read(given.get(field.name), field) for field in _SCHEMA}
    missing = [name for name in ("label_id", "subject_id", "criterion", "annotator", "at") if row[name] is None]
    if missing:
        raise ValueError(f"no {missing[0]}")
    return row


def without_apostrophe(text: str) -> str:
    """A text as it was before it was written into a spreadsheet."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _read(value: Any, field: pa.Field) -> Any:
    if value is None or value == "":
        return None
    kind = field.type
    try:
        if pa.types.is_timestamp(kind):
            at = datetime.fromisoformat(str(value))
            return at if at.tzinfo else _without_zone(value)
        if pa.types.is_date(kind):
            return date.fromisoformat(str(value))
        if pa.types.is_boolean(kind):
            return value if isinstance(value, bool) else {"true": True, "false": False}[str(value).lower()]
        if pa.types.is_string(kind):
            return str(value)
        return int(value) if pa.types.is_integer(kind) else float(value)
    except (ValueError, KeyError, TypeError, OverflowError):
        raise ValueError(f"{field.name}: {str(value)[:60]!r} cannot be read") from None


def _without_zone(value: Any) -> datetime:
    raise ValueError(f"{value} has no time zone")


def _written(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _cell(value: Any, *, is_text: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(_written(value))
    return f"'{text}" if is_text and text.startswith(_FORMULA) else text


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)  # only these signs within a field are quoted
    return line.getvalue().removesuffix("\r\n")

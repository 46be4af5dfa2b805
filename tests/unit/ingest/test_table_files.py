"""The same export as lines, as CSV and as Parquet is the same in the lake."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.reading import mapped_bytes

EXPORT = Path(__file__).parents[2] / "golden" / "langfuse_observations" / "input.jsonl"
COLUMNS = (
    *("id", "trace_id", "type", "start_time", "end_time", "name", "level", "user_id", "session_id", "environment"),
    *("release", "prompt_name", "provided_model_name", "input", "output", "usage_details", "total_cost"),
)


def rows() -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in EXPORT.read_text(encoding="utf-8").splitlines() if line.strip()]
    flat = [line for line in lines if line.get("type") == "GENERATION" and "start_time" in line and "trace_id" in line]
    assert flat
    return [{name: line.get(name) for name in COLUMNS} for line in flat]


def as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def told(content: bytes, name: str) -> list[dict[str, Any]]:
    found = mapped_bytes("langfuse", content, name)
    placeless = found.interactions.drop_columns(["line"])
    assert len(placeless) > 2
    return sorted(placeless.to_pylist(), key=lambda row: str(row["call_id"]))


def test_an_export_is_the_same_as_lines_as_csv_and_as_parquet() -> None:
    export = rows()
    lines = told("\n".join(map(json.dumps, export)).encode(), "observations.jsonl")
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(COLUMNS)
    writer.writerows([[as_text(row[name]) for name in COLUMNS] for row in export])
    assert told(table.getvalue().encode(), "observations.csv") == lines
    file = io.BytesIO()
    pq.write_table(pa.table({name: [as_text(row[name]) or None for row in export] for name in COLUMNS}), file)
    assert told(file.getvalue(), "observations.parquet") == lines

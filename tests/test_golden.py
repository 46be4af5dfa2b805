"""Golden cases: `tests/golden/<case>/` holds an input and what must come of it, small enough to read.

`GENCHI_GOLDEN=write make test` writes what comes of the inputs now; read the difference before you commit it.
"""

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from flows.ingest import mapping, reader

CASES = sorted(path.parent for path in Path(__file__).parent.glob("golden/*/input.jsonl"))


def told(rows: pa.Table) -> list[dict[str, Any]]:
    """Rows without their file and their nulls, times as text."""
    return [
        {name: value if isinstance(value, str | int | float | bool) else value.isoformat()
         for name, value in row.items() if value is not None and name != "file"}
        for row in rows.to_pylist()
    ]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_log_comes_to_what_is_expected(case: Path) -> None:
    records = [
        {"file": "input.jsonl", "line": record.line, "raw": record.raw, "problem": record.problem}
        for record in reader.read(case / "input.jsonl")
    ]
    mapped = mapping.map_records(case.name.split("_")[0], pa.Table.from_pylist(records, schema=mapping.RECORDS))
    found = {name: told(getattr(mapped, name)) for name in ("interactions", "feedback", "quarantined", "other")}
    assert sum(map(len, found.values())) == len(records)
    expected = case / "expect.yaml"
    if os.environ.get("GENCHI_GOLDEN") == "write":
        expected.write_text(yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")
    assert found == yaml.safe_load(expected.read_text(encoding="utf-8"))

"""Golden cases: `tests/golden/<case>/` holds an input and what must come of it, small enough to read.

`GENCHI_GOLDEN=write make test` writes what comes of the inputs now; read the difference before you commit it.
"""

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from tests.reading import CASES, format_of, mapped_files


def told(rows: pa.Table) -> list[dict[str, Any]]:
    """Rows without their file and their nulls, times as text; those of one line by their keys."""
    found = [
        {name: value if isinstance(value, str | int | float | bool) else value.isoformat()
         for name, value in row.items() if value is not None and name not in ("file", "key", "updated_at")}
        for row in rows.to_pylist()
    ]  # fmt: skip
    return sorted(found, key=lambda row: (row["line"], row.get("call_id", ""), row.get("kind", "")))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_a_log_comes_to_what_is_expected(case: Path) -> None:
    mapped = mapped_files(format_of(case), case / "input.jsonl")
    found = {
        "interactions": told(mapped.interactions),
        "feedback": told(mapped.feedback),
        "quarantined": told(mapped.refused),
        "other": told(mapped.other),
    }
    if len(mapped.incomplete):
        found["incomplete"] = told(mapped.incomplete)
    lines = {row["line"] for rows in found.values() for row in rows}  # one line may hold several records
    written = (case / "input.jsonl").read_bytes().splitlines()
    assert lines == {number for number, line in enumerate(written, 1) if line.strip()}
    expected = case / "expect.yaml"
    if os.environ.get("GENCHI_GOLDEN") == "write":
        expected.write_text(yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")
    assert found == yaml.safe_load(expected.read_text(encoding="utf-8"))

"""Rows of CSV whose JSON was quoted when it was written, and again when it was exported."""

import csv
import io
import json
from typing import Any

import pytest

from tests.reading import mapped_bytes

ASKED = {
    "messages": [{"role": "system", "content": "One word."}, {"role": "user", "content": 'River of "Rome",\nnow?'}]
}
ROW: dict[str, Any] = {
    "id": "a", "trace_id": "t", "type": "GENERATION", "start_time": "2026-03-02 10:00:00.000",
    "end_time": "2026-03-02 10:00:02.000", "level": "DEFAULT", "input": ASKED,
    "output": {"role": "assistant", "content": "Tiber."}, "provided_model_name": "gpt-4o",
    "usage_details": {"input": 9, "output": 3, "total": 12}, "total_cost": "0.00003",
}  # fmt: skip


def as_csv(row: dict[str, Any], quoted: int) -> bytes:
    def written(value: Any) -> str:
        text = value if isinstance(value, str) else json.dumps(value)
        for _ in range(quoted if not isinstance(value, str) else 0):
            text = json.dumps(text)
        return text

    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerows([list(row), [written(value) for value in row.values()]])
    return b"\xef\xbb\xbf" + target.getvalue().encode()


@pytest.mark.parametrize("quoted", [0, 1])
def test_messages_and_tokens_are_read_however_often_they_are_quoted(quoted: int) -> None:
    (row,) = mapped_bytes("langfuse", as_csv(ROW, quoted), "rows.csv").interactions.to_pylist()
    assert row["input_text"] == 'River of "Rome",\nnow?'
    assert (row["output_text"], row["input_tokens"], row["output_tokens"]) == ("Tiber.", 9, 3)
    assert json.loads(row["messages_json"]) == ASKED["messages"]


def test_a_text_in_the_quotes_of_json_is_plain() -> None:
    quoted = {**ROW, "input": '"River of Rome?"', "output": '"Tiber."', "level": '"DEFAULT"'}
    (row,) = mapped_bytes("langfuse", as_csv(quoted, 0), "rows.csv").interactions.to_pylist()
    assert (row["input_text"], row["output_text"], row["status"]) == ("River of Rome?", "Tiber.", "success")

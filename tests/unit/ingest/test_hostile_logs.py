"""Hostile records of langfuse and openai: whatever stands where, no record raises, and each line is in one place."""

import json
from typing import Any

import pytest

from tests.reading import mapped

DEEP = "[" * 10_000 + "]" * 10_000
WEIRD: list[Any] = [
    None, 1, -1.5, 1e308, 10**30, True, "", "text", "\ud800 half", [], {}, [[]], [[[1]]], {"": 1}, [None], "[null]",
    '{"a":', '{"a": 1, "a": 2}', '{"a": "\\ud800"}', [{"role": 5, "content": {"a": [1]}}], {"messages": [1, [2], {}]},
    {"choices": [1]}, {"candidates": [{"content": {"parts": "x"}}]}, {"generations": [1]},
    [{"parts": [1, {"text": 7}]}],
    {"object": "response", "output": [[1], {"type": "function_call"}]}, {"input": "many", "output": [1], "total": {}},
    {"attributes": '{"gen_ai.response.finish_reasons": "stop"}'}, [{"toolName": {}}], [{"kwargs": {"content": [1]}}],
    {"text": "x", "toolCalls": [1]}, "system: x\nuser: \nuser: y", DEEP, '{"a":' * 10_000 + "1" + "}" * 10_000,
]  # fmt: skip
OBSERVATION = {
    "id": "o", "trace_id": "t", "type": "GENERATION", "start_time": "2026-03-02 10:00:00", "end_time": None,
    "input": "a", "output": "b", "metadata": {}, "usage_details": {}, "cost_details": {}, "model_parameters": {},
    "tags": [], "level": "DEFAULT", "tool_definitions": {}, "total_cost": None, "latency": 1, "user_id": "u",
}  # fmt: skip
SCORE = {
    "id": "s", "timestamp": "2026-03-02 10:00:00", "observation_id": "o", "name": "n", "value": 1, "source": "API",
    "data_type": "NUMERIC", "string_value": None,
}  # fmt: skip
COMPLETION = {
    "id": "c", "created": 1772445600, "model": "m", "choices": [{"message": {"role": "assistant", "content": "b"}}],
    "usage": {}, "error": None,
}  # fmt: skip
RECORDS: dict[str, list[dict[str, Any]]] = {
    "langfuse": [
        OBSERVATION,
        SCORE,
        {"trace": {"id": "t"}, "observations": [OBSERVATION], "scores": [SCORE]},
        {"data": [OBSERVATION], "meta": {}},
    ],
    "openai": [
        {"request": {"model": "m", "messages": []}, "response": COMPLETION, "error": None, "started_at": 1772445600},
        {"id": "b", "custom_id": "c", "response": {"status_code": 200, "body": COMPLETION}, "error": None},
        {"custom_id": "c", "url": "/v1", "body": {"model": "m"}},
        {**COMPLETION, "object": "chat.completion", "metadata": {}},
        {**COMPLETION, "object": "response", "output": [], "input": "a"},
        {"object": "list", "data": [COMPLETION]},
    ],
}


def within(record: dict[str, Any]) -> list[str]:
    """The record with each weird value in the place of each key, and the same one level down."""
    found = [json.dumps({**record, key: value}) for key in record for value in WEIRD]
    for key, inner in record.items():
        if isinstance(inner, dict):
            found += [json.dumps({**record, key: {**inner, name: value}}) for name in inner for value in WEIRD]
    return found + [json.dumps({**record, key: "?"}).replace('"?"', DEEP) for key in record]


@pytest.mark.parametrize("log_format", RECORDS)
def test_whatever_stands_where_no_record_raises_and_each_line_is_somewhere(log_format: str) -> None:
    raws = [raw for record in RECORDS[log_format] for raw in within(record)]
    found = mapped(log_format, *raws)
    tables = (found.interactions, found.feedback, found.refused, found.other)
    places = [set(table.column("line").to_pylist()) for table in tables]
    assert set().union(*places) == set(range(1, len(raws) + 1))
    assert len(found.interactions) > len(raws) / 4  # one odd value does not cost a call that can be read without it
    if log_format == "openai":  # no line of which holds several records
        single = [number for number, raw in enumerate(raws, 1) if '"list"' not in raw]
        assert all(sum(number in place for place in places) == 1 for number in single)

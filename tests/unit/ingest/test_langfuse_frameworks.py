"""Langfuse's exports of what frameworks logged through it."""

import json
from typing import Any

from tests.reading import mapped


def generation(asked: Any, answered: Any) -> dict[str, Any]:
    (row,) = mapped("langfuse", {
        "id": "a", "trace_id": "t", "type": "GENERATION", "start_time": "2026-03-02 10:00:00.000",
        "end_time": "2026-03-02 10:00:02.000", "input": asked, "output": answered, "provided_model_name": "m",
    }).interactions.to_pylist()  # fmt: skip
    found: dict[str, Any] = row
    return found


def test_the_answer_of_adk_is_its_text_and_its_instruction_a_message() -> None:
    row = generation(
        {"model": "m", "config": {"system_instruction": "One word."},
         "contents": [{"role": "user", "parts": [{"text": "River of Rome?"}]}]},
        {"content": {"role": "model", "parts": [
            {"text": "Tiber."}, {"function_call": {"id": "k", "name": "map", "args": {"q": 1}}}]},
         "usage_metadata": {"total_token_count": 9}},
    )  # fmt: skip
    assert row["output_text"] == "Tiber."
    assert json.loads(row["messages_json"]) == [
        {"role": "system", "content": "One word."},
        {"role": "user", "content": "River of Rome?"},
    ]
    assert json.loads(row["output_json"])["tool_calls"] == [
        {"id": "k", "type": "function", "function": {"name": "map", "arguments": '{"q":1}'}}
    ]


def test_calls_of_tools_within_parts_are_calls_of_tools() -> None:
    row = generation(
        [{"role": "user", "parts": [{"type": "text", "content": "Look it up"}]}],
        [{"role": "assistant", "parts": [{"type": "tool_call", "id": "c", "name": "look_up", "arguments": {"q": 1}}]}],
    )
    assert row["input_text"] == "Look it up"
    assert json.loads(row["output_json"])["tool_calls"][0]["function"] == {"name": "look_up", "arguments": '{"q":1}'}


def test_roles_of_stringified_messages_are_roles() -> None:
    row = generation([{"role": "MessageRole.USER", "content": "Hi"}], {"role": "assistant", "content": "Ho"})
    assert json.loads(row["messages_json"]) == [{"role": "user", "content": "Hi"}]

"""Langfuse's exports of what frameworks logged through it."""

import json
from typing import Any

import pytest

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


GEMINI = {"prompt_token_count": 7, "candidates_token_count": 2, "thoughts_token_count": 5,
          "cached_content_token_count": 3, "total_token_count": 14}  # fmt: skip
MESSAGE = {"role": "assistant", "content": "Ho."}


@pytest.mark.parametrize("told", [
    {"usage_details": json.dumps({**GEMINI, "prompt_tokens_details": [{"modality": "TEXT", "token_count": 7}]})},
    {"usage_details": json.dumps({"usage_metadata": GEMINI})},
    {"usage": {"prompt_tokens": 7, "completion_tokens": 7, "total_tokens": 14,
               "prompt_tokens_details": {"cached_tokens": 3}, "completion_tokens_details": {"reasoning_tokens": 5}}},
    {"usage_details": "{}", "output": {**MESSAGE, "response_metadata": {"usage_metadata": GEMINI}}},
    {"output": {**MESSAGE, "usage_metadata": {
        "input_tokens": 7, "output_tokens": 7, "total_tokens": 14, "input_token_details": {"cache_read": 3},
        "output_token_details": {"reasoning": 5}}}},
    {"output": {"candidates": [{"content": {"role": "model", "parts": [{"text": "Ho."}]}}], "usageMetadata": {
        "promptTokenCount": 7, "candidatesTokenCount": 2, "thoughtsTokenCount": 5, "totalTokenCount": 14,
        "cachedContentTokenCount": 3}}},
], ids=["gemini", "nested", "openai", "vertex message", "langchain message", "gemini response"])  # fmt: skip
def test_tokens_are_counted_at_any_place_where_they_stand(told: dict[str, Any]) -> None:
    logged = {"id": "a", "trace_id": "t", "type": "GENERATION", "start_time": "2026-03-02 10:00:00.000",
              "output": MESSAGE, **told}  # fmt: skip
    (row,) = mapped("langfuse", logged).interactions.to_pylist()
    counts = [row[f"{name}_tokens"] for name in ("input", "output", "cached", "reasoning")]
    assert (row["output_text"], counts) == ("Ho.", [7, 7, 3, 5])

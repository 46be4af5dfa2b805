"""Messages of every framework, as chat messages."""

import json
from typing import Any

import pytest

from flows.ingest.map.chat_messages import chat_messages

USER = {"role": "user", "content": "Hi"}
CALL = {"id": "k", "type": "function", "function": {"name": "map", "arguments": '{"q":"Rome"}'}}


def read(value: Any, role: str = "user") -> Any:
    found = chat_messages(json.dumps(value), role)
    return None if found is None else json.loads(found)


@pytest.mark.parametrize("asked", [
    "Hi",
    [USER],
    json.dumps([USER]),
    json.dumps(json.dumps([USER])),
    [json.dumps(USER)],
    {"messages": [USER], "model": "m"},
    json.dumps({"messages": [[{"type": "human", "content": "Hi"}]]}),
    [["human", "Hi"]],
    [{"type": "human", "data": {"content": "Hi"}}],
    [{"role": "Role.USER", "content": "Hi"}],
    [{"role": "user", "parts": [{"text": "Hi"}]}],
    [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}],
    {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
    [{"kind": "request", "parts": [{"part_kind": "user-prompt", "content": "Hi"}]}],
    [{"role": "user", "content": json.dumps([{"text": "Hi"}])}],
    [{"event.name": "gen_ai.user.message", "role": "user", "content": "Hi"},
     {"event.name": "gen_ai.choice", "message": {"content": "Yes"}}],
    {"prompt": "Hi"},
    {"input": [{"role": "user", "content": "Hi"}]},
])  # fmt: skip
def test_one_question_is_read_alike_from_every_framework(asked: Any) -> None:
    assert read(asked) == [USER]


@pytest.mark.parametrize("answer", [
    [{"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "Tiber"},
                                       {"type": "tool_use", "id": "k", "name": "map", "input": {"q": "Rome"}}]}],
    [{"role": "assistant", "content": [{"reasoningContent": {"reasoningText": {"text": "Hm"}}}, {"text": "Tiber"},
                                       {"toolUse": {"toolUseId": "k", "name": "map", "input": {"q": "Rome"}}}]}],
    {"candidates": [{"content": {"role": "model", "parts": [
        {"text": "Hm", "thought": True}, {"text": "Tiber"},
        {"functionCall": {"id": "k", "name": "map", "args": {"q": "Rome"}}}]}}]},
    {"content": {"role": "model", "parts": [
        {"text": "Hm", "thought": True}, {"text": "Tiber"},
        {"function_call": {"id": "k", "name": "map", "args": {"q": "Rome"}}}]}, "partial": False},
    [{"role": "assistant", "parts": [
        {"type": "reasoning", "content": "Hm"}, {"type": "text", "content": "Tiber"},
        {"type": "tool_call", "id": "k", "name": "map", "arguments": {"q": "Rome"}}]}],
    {"object": "response", "output": [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Tiber"}]},
        {"type": "function_call", "call_id": "k", "name": "map", "arguments": '{"q":"Rome"}'}]},
    [{"role": "assistant", "content": [
        {"type": "reasoning", "text": "Hm"}, {"type": "text", "text": "Tiber"},
        {"type": "tool-call", "toolCallId": "k", "toolName": "map", "args": {"q": "Rome"}}]}],
    [{"kind": "response", "parts": [
        {"part_kind": "thinking", "content": "Hm"}, {"part_kind": "text", "content": "Tiber"},
        {"part_kind": "tool-call", "tool_call_id": "k", "tool_name": "map", "args": '{"q":"Rome"}'}]}],
    {"output": {"message": {"role": "assistant", "content": [
        {"reasoningContent": {"reasoningText": {"text": "Hm"}}}, {"text": "Tiber"},
        {"toolUse": {"toolUseId": "k", "name": "map", "input": {"q": "Rome"}}}]}}},
])  # fmt: skip
def test_one_answer_is_read_alike_from_every_framework(answer: Any) -> None:
    (found,) = read(answer, "assistant")
    assert (found["role"], found["content"], found["reasoning_content"]) == ("assistant", "Tiber", "Hm")
    assert [{**call, "type": "function"} for call in found["tool_calls"]] == [CALL]


@pytest.mark.parametrize(
    ("logged", "told"),
    [
        ({"generations": [[{"text": "A", "generation_info": {"finish_reason": "stop"}}]]}, "stop"),
        ({"choices": [{"message": {"role": "assistant", "content": "A"}, "finish_reason": "length"}]}, "length"),
        ({"candidates": [{"content": {"parts": [{"text": "A"}]}, "finishReason": "MAX_TOKENS"}]}, "length"),
        ({"candidates": [{"content": {"parts": [{"text": "A"}]}, "finish_reason": 1}]}, "stop"),
        ({"content": {"parts": [{"text": "A"}]}, "finish_reason": "FinishReason.SAFETY"}, "content_filter"),
        ({"message": {"role": "assistant", "content": "A"}, "done_reason": "stop"}, "stop"),
    ],
)
def test_the_reason_to_end_is_told_under_one_name(logged: Any, told: str) -> None:
    assert read(logged, "assistant") == [{"role": "assistant", "content": "A", "finish_reason": told}]


@pytest.mark.parametrize("answer", ['{"answer": 5}', "[1, 2]", '["a", "b"]', '{"text": "x"}', '"quoted"', "{", "[]x"])
def test_an_answer_in_json_is_a_text(answer: str) -> None:
    assert read(answer, "assistant") == [{"role": "assistant", "content": answer}]


def test_plain_messages_stay_as_they_are_written() -> None:
    text = '[{"role":"user",  "content":"Hi", "name": "a"},{"role":"assistant","content":null,"tool_calls":[]}]'
    assert chat_messages(text, "user") == text


def test_the_result_of_a_tool_is_a_message_of_its_own() -> None:
    blocks = [{"type": "tool_result", "tool_use_id": "k", "content": [{"type": "text", "text": "Tiber"}]}]
    found = read([{"role": "user", "content": [*blocks, {"type": "text", "text": "And now?"}]}])
    assert found == [
        {"role": "tool", "content": "Tiber", "tool_call_id": "k"},
        {"role": "user", "content": "And now?"},
    ]


def test_an_image_is_a_part_and_no_text() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content = [{"type": "text", "text": "What is it?"}, image]
    assert read([{"role": "user", "content": json.dumps(content)}]) == [{"role": "user", "content": content}]


def test_half_a_character_within_a_text_of_json_is_replaced() -> None:
    found = chat_messages(json.dumps('[{"role": "user", "content": "cut \\ud83d"}]'), "user")
    assert found == '[{"role":"user","content":"cut �"}]'


@pytest.mark.parametrize("deep", ["[" * 100_000, "[" * 5_000 + "]" * 5_000, '{"messages":' * 5_000 + "1" + "}" * 5_000])
def test_what_is_nested_too_deep_is_a_text(deep: str) -> None:
    assert read(deep)[0]["role"] == "user"


def test_a_tool_call_that_langchain_keeps_beside_the_message_is_one() -> None:
    answer = {"role": "assistant", "content": "", "additional_kwargs": {"tool_calls": [CALL], "refusal": None}}
    (message,) = read([answer], "assistant")
    assert message["tool_calls"] == [CALL]

"""Messages of every framework, as chat messages."""

import json
from typing import Any

import pytest

from flows.ingest.map.chat_messages import read_messages
from flows.ingest.map.conversations import read_answer, read_question
from tests.reading import mapped

USER = {"role": "user", "content": "Hi"}
CALL = {"id": "k", "type": "function", "function": {"name": "map", "arguments": '{"q":"Rome"}'}}


def read(value: Any, role: str = "user") -> Any:
    return read_messages(json.dumps(value), role).messages


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
        ({"candidates": [{"content": {"parts": [{"text": "A"}]}, "finishReason": "MAX_TOKENS"}]}, "MAX_TOKENS"),
        ({"candidates": [{"content": {"parts": [{"text": "A"}]}, "finish_reason": 1}]}, "1"),
        ({"content": {"parts": [{"text": "A"}]}, "finish_reason": "FinishReason.SAFETY"}, "FinishReason.SAFETY"),
        ({"message": {"role": "assistant", "content": "A"}, "done_reason": "stop"}, "stop"),
        (
            {"choices": [{"message": {"role": "assistant", "content": "A"}, "finish_reason": {"type": "length"}}]},
            "length",
        ),
    ],
)
def test_the_reason_to_end_is_told_in_the_providers_word(logged: Any, told: str) -> None:
    assert read(logged, "assistant") == [{"role": "assistant", "content": "A", "finish_reason": told}]


@pytest.mark.parametrize("answer", [
    '{"answer": 5}', "[1, 2]", '["a", "b"]', '{"text": "x"}', '"quoted"', "{", "[]x", '{"content": "x", "label": 1}',
    '[{"text": "Rome", "label": "city"}]', '{"choices": [{"text": "Rome", "is_right": true}]}', '{"messages": ["a"]}',
    '[{"type": "file", "name": "a"}]', '{"category": "del', '[{"label": "a',
])  # fmt: skip
def test_an_answer_in_json_is_a_text(answer: str) -> None:
    assert read(answer, "assistant") == [{"role": "assistant", "content": answer}]


def test_plain_messages_stay_as_they_are_written() -> None:
    text = '[{"role":"user",  "content":"Hi", "name": "a"},{"role":"assistant","content":null,"tool_calls":[]}]'
    found = read_question(text, None)
    assert found is not None
    assert found.messages == text


def test_the_result_of_a_tool_is_a_message_of_its_own() -> None:
    blocks = [{"type": "tool_result", "tool_use_id": "k", "content": [{"type": "text", "text": "Tiber"}]}]
    found = read([{"role": "user", "content": [*blocks, {"type": "text", "text": "And now?"}]}])
    assert found == [
        {"role": "tool", "content": "Tiber", "tool_call_id": "k"},
        {"role": "user", "content": "And now?"},
    ]


@pytest.mark.parametrize("part", [
    {"type": "tool_result", "tool_use_id": "k", "content": "No.", "is_error": True},
    {"toolResult": {"toolUseId": "k", "content": [{"text": "No."}], "status": "error"}},
    {"type": "tool-result", "toolCallId": "k", "toolName": "map", "output": {"type": "error-text", "value": "No."}},
    {"part_kind": "retry-prompt", "tool_name": "map", "tool_call_id": "k", "content": "No."},
    {"type": "mcp_tool_result", "tool_use_id": "k", "content": [{"type": "text", "text": "No."}], "is_error": "true"},
])  # fmt: skip
def test_the_result_of_a_tool_that_failed_says_so(part: dict[str, Any]) -> None:
    failed = {"role": "tool", "content": "No.", "tool_call_id": "k", "status": "error"}
    assert read([{"role": "user", "content": [part]}]) == [failed]


@pytest.mark.parametrize("status", ["success", "error"])
def test_of_the_status_of_langchains_tool_messages_a_failure_is_kept(status: str) -> None:
    kwargs = {"type": "tool", "content": "No.", "tool_call_id": "k", "status": status}
    expected = {"role": "tool", "content": "No.", "tool_call_id": "k"}
    logged = [{"id": ["langchain", "schema", "messages", "ToolMessage"], "kwargs": kwargs}]
    assert read(logged) == [expected | ({"status": "error"} if status == "error" else {})]


def test_an_answer_that_is_tried_again_is_no_failed_tool() -> None:
    (message,) = read([{"part_kind": "retry-prompt", "content": "Say it as JSON."}])
    assert "status" not in message


def test_an_image_is_a_part_and_no_text() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    content = [{"type": "text", "text": "What is it?"}, image]
    assert read([{"role": "user", "content": json.dumps(content)}]) == [{"role": "user", "content": content}]


def test_half_a_character_within_a_text_of_json_is_replaced() -> None:
    found = read_question(json.dumps('[{"role": "user", "content": "cut \\ud83d"}]'), None)
    assert found is not None
    assert found.messages == '[{"role":"user","content":"cut �"}]'


@pytest.mark.parametrize("deep", ["[" * 100_000, "[" * 5_000 + "]" * 5_000, '{"messages":' * 5_000 + "1" + "}" * 5_000])
def test_what_is_nested_too_deep_is_a_text(deep: str) -> None:
    assert read(deep)[0]["role"] == "user"


def test_a_tool_call_that_langchain_keeps_beside_the_message_is_one() -> None:
    answer = {"role": "assistant", "content": "", "additional_kwargs": {"tool_calls": [CALL], "refusal": None}}
    (message,) = read([answer], "assistant")
    assert message["tool_calls"] == [CALL]


def test_a_message_of_parts_keeps_the_tool_calls_beside_them() -> None:
    answer = [{"role": "assistant", "parts": [{"type": "text", "content": ""}], "tool_calls": [CALL]}]
    result = [{"role": "tool", "parts": [{"type": "text", "content": "Tiber"}], "tool_call_id": "k"}]
    assert read(answer, "assistant")[0]["tool_calls"] == [CALL]
    assert read(result) == [{"role": "tool", "content": "Tiber", "tool_call_id": "k"}]


def test_items_of_one_answer_are_one_message_and_choices_are_several() -> None:
    items = [
        {"type": "reasoning", "summary": []},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Tiber"}]},
        {"type": "function_call", "call_id": "k", "name": "map", "arguments": '{"q":"Rome"}'},
    ]
    assert read(items, "assistant") == [{"role": "assistant", "content": "Tiber", "tool_calls": [CALL]}]
    choices = [{"role": "assistant", "parts": [{"type": "text", "content": text}], "finish_reason": "stop"}
               for text in ("one", "two")]  # fmt: skip
    found = read_answer(json.dumps(choices))
    assert found is not None
    assert (found.text, found.finish_reason) == ("one", "stop")


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": [{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}]}, "ab"),
        ({"content": None, "audio": {"id": "a", "data": "AAAA", "transcript": "spoken"}}, "spoken"),
        ({"content": [{"type": "output_audio", "transcript": "spoken"}]}, "spoken"),
        ({"content": None, "refusal": "No."}, "No."),
        ({"content": [{"type": "thinking", "thinking": "Hm"}]}, None),
        ({"content": [{"type": "image", "source": {"data": "AAAA"}}, {"type": "file", "file_id": "f"}]}, None),
        ({"content": [{"type": "image", "text": {"a": 1}}]}, None),
    ],
)
def test_an_answer_says_its_texts_and_its_transcripts_only(message: dict[str, Any], text: str | None) -> None:
    found = read_answer(json.dumps({"role": "assistant", **message}))
    assert found is not None
    assert found.text == text


def test_the_question_is_the_last_that_a_user_said_in_words() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    turns = [{"role": "system", "content": "Be brief."}, USER, {"role": "user", "content": [image]}]
    found = read_question(json.dumps(turns), None)
    assert found is not None
    assert found.text == "Hi"


@pytest.mark.parametrize("beside", [
    "Be brief.", [{"type": "text", "text": "Be brief."}], [{"type": "text", "content": "Be brief."}],
    {"role": "system", "parts": [{"text": "Be brief."}]}, {"parts": [{"text": "Be brief."}]}, [{"text": "Be brief."}],
    [{"role": "system", "parts": [{"type": "text", "content": "Be brief."}]}], ["Be brief."],
])  # fmt: skip
def test_instructions_beside_the_messages_are_a_message(beside: Any) -> None:
    found = read_question(json.dumps([USER]), json.dumps(beside))
    assert found is not None
    assert json.loads(found.messages or "") == [{"role": "system", "content": "Be brief."}, USER]
    again = read_question(found.messages, json.dumps(beside))
    assert again is not None
    assert again.messages == found.messages


@pytest.mark.parametrize(("content", "text", "reasoning"), [
    ("<think>hm</think>\n\nHere.", "Here.", "hm"),
    (" <think>\nhm\n</think>Here.", "Here.", "hm"),
    ("<think>hm", None, "hm"),
    ("<think>", "<think>", None),
    ("<think></think>Here.", "Here.", None),
    ("Here <think>hm</think>", "Here <think>hm</think>", None),
])  # fmt: skip
def test_thinking_before_the_answer_is_reasoning(content: str, text: str | None, reasoning: str | None) -> None:
    record = {"call_id": "c", "started_at": 1772359200, "input_text": "Where?",
              "output_json": {"role": "assistant", "content": content}}  # fmt: skip
    (row,) = mapped("genchi", record).interactions.to_pylist()
    assert row["output_text"] == text
    assert json.loads(row["output_json"]).get("reasoning_content") == reasoning


@pytest.mark.parametrize("given", [{"kind": {}}, {"kind": []}, [{"kind": {}, "role": 5}], {"parts": [{"kind": []}]}])
@pytest.mark.parametrize("instructions", [None, [{"role": {}}, 5], {"parts": 7}, [[]]])
def test_an_odd_shape_is_read_as_what_it_says_and_never_raises(given: Any, instructions: Any) -> None:
    beside = None if instructions is None else json.dumps(instructions)
    question = read_question(json.dumps(given), beside)
    assert question is not None
    assert question.messages is not None
    answer = read_answer(json.dumps(given))
    assert answer is not None or isinstance(given, list)  # a list of one message that no role says

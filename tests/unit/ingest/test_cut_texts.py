"""Texts that were cut off before they were logged are marked, and are no messages of their own."""

import json
from typing import Any

import pytest

from flows.ingest.map.conversations import read_answer, read_question
from flows.ingest.map.cut_texts import closed
from tests.reading import mapped
from tests.unit.ingest.test_spans import attributes_of, request, span

TURNS = [
    {"role": "system", "content": 'Say "yes" or «no».'},
    {"role": "user", "content": "Is it open? It is late \\ already, and it rains [a lot] {here}."},
]
LITELLM = "It beg... (litellm_truncated skipped 4711 chars. Logs are kept short) ...ends."


def with_attributes(**attributes: Any) -> dict[str, Any]:
    told = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", **attributes}
    return request(span(attributes_of(**told)))


@pytest.mark.parametrize("suffix", ["", "...", "…", "... [truncated]", " (truncated 300 characters)", "<truncated>"])
def test_messages_are_read_as_far_as_they_go_wherever_they_are_cut(suffix: str) -> None:
    whole = json.dumps(TURNS)
    for length in range(len('[{"role": "'), len(whole) - 1):
        found = read_question(json.dumps(whole[:length] + suffix), None)
        assert found is not None
        assert found.is_cut
        messages = json.loads(found.messages or "[]")
        assert [message["role"] for message in messages] == ["system", "user"][: len(messages)]
        for message, turn in zip(messages, TURNS, strict=False):
            assert turn["content"].startswith(message["content"].removesuffix(suffix).rstrip("\\"))
        assert found.text is None or found.text == messages[-1]["content"]
        assert found.text is None or len(messages) == 2


def test_what_ends_whole_is_not_cut() -> None:
    for text in ("[INST] Hi", "{name} is", "[", "{", '{"category": "del', "Wait...", "…", "[1, 2", "truncated"):
        found = read_question(json.dumps(text), None)
        assert found is not None
        assert (found.text, found.is_cut) == (text, False)
    assert closed('[{"role": "user"}]') is None


@pytest.mark.parametrize("key", ["gen_ai.input.messages", "gcp.vertex.agent.llm_request", "ai.prompt.messages"])
def test_a_span_whose_messages_an_sdk_cut_is_a_call_that_is_marked(key: str) -> None:
    wrapped = TURNS if key != "gcp.vertex.agent.llm_request" else {"model": "m", "contents": [
        {"role": turn["role"], "parts": [{"text": turn["content"]}]} for turn in TURNS]}  # fmt: skip
    (row,) = mapped("otel", with_attributes(**{key: json.dumps(wrapped, ensure_ascii=False)[:-30]})
                    ).interactions.to_pylist()  # fmt: skip
    assert row["is_cut"]
    assert row["input_text"].startswith("Is it open? It is")
    assert len(json.loads(row["messages_json"])) == 2


def test_what_an_sdk_cut_before_the_first_message_is_no_message() -> None:
    cut = '{"model":"m","config":{"system_instruction":"You know'
    (row,) = mapped("otel", with_attributes(**{"gcp.vertex.agent.llm_request": cut})).interactions.to_pylist()
    assert (row["messages_json"], row["input_text"], row["is_cut"]) == (None, None, True)


def test_an_answer_that_was_cut_is_marked_and_read() -> None:
    whole = json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": "Until six o'clock."}]}])
    (row,) = mapped("otel", with_attributes(**{"gen_ai.output.messages": whole[:-12]})).interactions.to_pylist()
    assert (row["output_text"], row["is_cut"]) == ("Until six o", True)


@pytest.mark.parametrize("text", ["Is it [truncated]", "Is it... (truncated)", "Is it <TRUNCATED 12 bytes>", LITELLM])
def test_a_text_at_whose_end_a_logger_says_that_it_is_cut_is_marked(text: str) -> None:
    call = {"call_id": "c", "started_at": "2026-03-01T10:00:00Z"}
    asked = mapped("genchi", {**call, "messages": [{"role": "user", "content": text}]}).interactions.to_pylist()
    said = mapped("genchi", {**call, "input_text": "a", "output_json": {"role": "assistant", "content": text}}
                  ).interactions.to_pylist()  # fmt: skip
    assert (asked[0]["input_text"], asked[0]["is_cut"]) == (text, True)
    assert (said[0]["output_text"], said[0]["is_cut"]) == (text, True)


def test_a_users_own_words_about_cutting_are_not_marked() -> None:
    call = {"call_id": "c", "started_at": "2026-03-01T10:00:00Z"}
    for text in ("Why does it say [truncated] at the end of my logs?", "My text is truncated", "And then..."):
        (row,) = mapped("genchi", {**call, "messages": [{"role": "user", "content": text}]}).interactions.to_pylist()
        assert row["is_cut"] is False


def test_what_stands_in_place_of_a_value_is_no_message() -> None:
    placeholder = "<truncated due to size exceeding limit>"
    (row,) = mapped("langfuse", {
        "id": "a", "trace_id": "t", "type": "GENERATION", "start_time": "2026-03-02 10:00:00.000",
        "end_time": "2026-03-02 10:00:02.000", "input": placeholder, "output": placeholder,
    }).interactions.to_pylist()  # fmt: skip
    told = ("messages_json", "input_text", "output_json", "output_text", "is_cut")
    assert [row[name] for name in told] == [None, None, None, None, True]


def test_what_stands_among_messages_for_others_is_none_of_them() -> None:
    found = read_question(json.dumps([TURNS[0], "... 3 more", TURNS[1], "..."]), None)
    assert found is not None
    assert found.is_cut
    assert json.loads(found.messages or "") == TURNS


def test_an_answer_that_ended_at_its_token_limit_is_no_text_that_was_cut() -> None:
    found = read_answer(json.dumps('{"category": "delivery", "reason": "the par'))
    assert found is not None
    assert (found.text, found.is_cut) == ('{"category": "delivery", "reason": "the par', False)

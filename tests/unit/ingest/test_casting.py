"""What a SELECT's texts come to: times, numbers, routes, and which records tell of one call."""

import json
from typing import Any

import pytest

from tests.reading import mapped

MONDAY = 1772445600  # 2026-03-02 10:00:00 UTC


def call(**fields: Any) -> dict[str, Any]:
    return {"call_id": "c", "started_at": MONDAY, "input_text": "Hi", **fields}


def litellm(**fields: Any) -> dict[str, Any]:
    return {
        "id": "a", "litellm_call_id": "l-1", "call_type": "acompletion", "status": "success", "startTime": MONDAY,
        "endTime": MONDAY + 1, "model": "gpt-4o", "messages": [{"role": "user", "content": "Hi"}], "prompt_tokens": 3,
        "response": {"choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "Ho"}}]},
        **fields,
    }  # fmt: skip


@pytest.mark.parametrize("spelling", [
    "2026-03-02 10:00:00 +0000 UTC",
    "2026-03-02 10:00:00.000000001 +0000 UTC m=+0.000000001",
    "2026-03-02 11:00:00 +0100 CET",
    "2026-03-02T10:00:00,000Z",
    "2026-03-02T10:00:00.000 Z",
    "20260302T100000Z",
    "20260302T100000.000Z",
    "20260302T110000+0100",
    "2026-03-02T10:00:00+00:00[UTC]",
    "2026-03-02T11:00:00+01:00[Europe/Vienna]",
    "Mon, 02 Mar 2026 10:00:00 GMT",
    "Mon, 02 Mar 2026 11:00:00 +0100",
    "02 Mar 2026 10:00:00 +0000",
    "Mon Mar  2 10:00:00 2026",
    "Mon Mar  2 10:00:00 UTC 2026",
    "Mon Mar 02 2026 11:00:00 GMT+0100 (Central European Standard Time)",
    "Monday, 02-Mar-26 10:00:00 GMT",
    "02/Mar/2026:10:00:00 +0000",
    "2026/03/02 10:00:00",
    "2026-03-02 10:00:00 UTC",
    "2026-03-02T10:00Z",
    "2026-03-02T05:00:00\u221205:00",
    "20260302100000",
    "2026.03.02 10:00:00",
    "March 2, 2026 10:00:00 AM",
    "Mar 2, 2026 10:00:00 AM UTC",
    "2026-03-02 10:00:00 AM",
    "/Date(1772445600000)/",
    "/Date(1772445600000+0100)/",
    "[2026,3,2,10,0]",
    "[2026,3,2,10,0,0]",
    "[2026, 3, 2, 10, 0, 0, 5]",
])  # fmt: skip
def test_a_time_is_read_in_the_spellings_of_other_languages(spelling: str) -> None:
    found = mapped("genchi", call(started_at=spelling))
    assert found.refused.to_pylist() == []
    assert [at.timestamp() for at in found.interactions.column("started_at").to_pylist()] == [MONDAY]


@pytest.mark.parametrize("text", ["yesterday", "10:00:00", "2026-13-02T10:00:00Z", "32 Mar 2026 10:00:00 GMT", "2026"])
def test_what_is_no_time_is_refused(text: str) -> None:
    assert mapped("genchi", call(started_at=text)).refused.num_rows == 1


@pytest.mark.parametrize("year", [2150, 9999])
def test_a_time_far_ahead_is_refused_like_one_of_1970(year: int) -> None:
    found = mapped("genchi", call(started_at=f"{year}-03-02T10:00:00Z"), call(started_at="1970-01-02T00:00:00Z"))
    assert found.interactions.num_rows == 0
    assert found.refused.num_rows == 2
    assert all("is not a time" in reason for reason in found.refused.column("reason").to_pylist())


@pytest.mark.parametrize("cost", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_null_and_refuses_no_call(cost: str) -> None:
    line = '{"call_id": "c", "started_at": 1772445600, "input_text": "Hi", "cost_usd": %s, "input_tokens": %s}'
    found = mapped("genchi", line % (cost, cost))
    (row,) = found.interactions.to_pylist()
    assert (row["cost_usd"], row["input_tokens"], row["cost_source"]) == (None, None, "unknown")


def test_a_number_that_is_none_may_be_written_as_a_text() -> None:
    (row,) = mapped("genchi", call(cost_usd="NaN", latency_ms="Infinity")).interactions.to_pylist()
    assert (row["cost_usd"], row["latency_ms"]) == (None, None)


@pytest.mark.parametrize(("logged", "route"), [
    ("agent.0f8fad5b-d9cb-469f-a165-70867728950e", "agent"),
    ("invoke_agent 0f8fad5bd9cb469fa16570867728950e", "invoke_agent"),
    ("triage/run_01HQ3K9X8Z7N5V2M", "triage"),
    ("01ARZ3NDEKTSV4RRFFQ69G5FAV:support", "support"),
    ("support-20260302", "support-20260302"),
    ("faq v2 (0f8fad5b-d9cb-469f-a165-70867728950e)", "faq v2"),
    ("refund.de", "refund.de"),
    ("0f8fad5b-d9cb-469f-a165-70867728950e", None),
])  # fmt: skip
def test_a_route_does_not_carry_the_id_of_a_run(logged: str, route: str | None) -> None:
    found = mapped("genchi", call(route=logged))
    assert found.interactions.column("route").to_pylist() == [route]


def test_two_calls_of_one_type_under_one_id_of_litellm_are_two() -> None:
    found = mapped("litellm", litellm(id="a"), litellm(id="b"))
    assert len(set(found.interactions.column("key").to_pylist())) == 2


def test_an_id_that_a_provider_repeats_makes_two_calls_no_one() -> None:
    found = mapped("litellm", litellm(id="chatcmpl-213"), litellm(id="chatcmpl-213", litellm_call_id="l-2"))
    assert len(set(found.interactions.column("call_id").to_pylist())) == 2
    pair = {"request": {"messages": []}, "response": {"id": "chatcmpl-213", "created": MONDAY, "choices": [{}]}}
    other = {**pair, "request": {"messages": [{"role": "user", "content": "Hi"}]}}
    assert len(set(mapped("openai", pair, other, pair).interactions.column("call_id").to_pylist())) == 2


@pytest.mark.parametrize("body", [
    {"object": "list", "data": [{"object": "embedding", "embedding": [0.5]}], "model": "m"},
    {"id": "modr-1", "results": [{"flagged": False}], "model": "m"},
])  # fmt: skip
def test_an_answer_of_no_conversation_in_a_batch_is_other(body: dict[str, Any]) -> None:
    found = mapped("openai", {"id": "b", "custom_id": "e", "response": {"status_code": 200, "body": body}})
    assert (found.other.num_rows, found.refused.num_rows) == (1, 0)


STREAMS = {
    "chat completions": [{"choices": [{"delta": {"content": "Ti"}}]}, {"choices": [{"delta": {"content": "ber"}}]}],
    "responses": [{"type": "response.output_text.delta", "delta": "Ti"},
                  {"type": "response.output_text.delta", "delta": "ber"}, {"type": "response.completed"}],
    "messages": [{"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "Hm"}},
                 {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Tiber"}}],
    "gemini": [{"candidates": [{"content": {"parts": [{"text": "Hm", "thought": True}, {"text": "Tiber"}]}}]}],
}  # fmt: skip


@pytest.mark.parametrize("interface", STREAMS)
def test_a_stream_that_was_passed_through_is_a_call_without_a_cost(interface: str) -> None:

    events = "".join(f"event: e\ndata: {json.dumps(event)}\n\n" for event in STREAMS[interface]) + "data: [DONE]\n\n"
    passed = litellm(call_type="pass_through_endpoint", response=events, prompt_tokens=0, response_cost=0.0)
    (row,) = mapped("litellm", passed).interactions.to_pylist()
    assert (row["output_text"], row["cost_usd"], row["input_tokens"]) == ("Tiber", None, None)

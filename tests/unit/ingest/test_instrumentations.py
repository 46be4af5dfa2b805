"""Spans as current instrumentations write them: what each says of a call is read."""

import json
from typing import Any

import pytest

from tests.reading import mapped, user_key
from tests.unit.ingest.test_spans import attributes_of, request, span

ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where is it?"}]


def of_span(log_format: str = "otel", **attributes: Any) -> list[dict[str, Any]]:
    """The calls of a span with these attributes; `__` in a name is a dot."""
    rows: list[dict[str, Any]] = mapped(log_format, request(span(attributes_of(**attributes)))).interactions.to_pylist()
    return rows


def test_a_generation_of_langfuses_sdk() -> None:
    (row,) = of_span(
        langfuse__observation__type="generation", langfuse__observation__input=json.dumps(ASKED),
        langfuse__observation__output=json.dumps({"role": "assistant", "content": "Here."}),
        langfuse__observation__model__name="gpt-4o",
        langfuse__observation__model__parameters='{"temperature": 0}',
        langfuse__observation__usage_details='{"input": 6, "input_cached_tokens": 4, "output": 2, "total": 12}',
        langfuse__observation__cost_details='{"input": 0.1, "total": 0.25}',
        langfuse__observation__prompt__name="desk", langfuse__observation__prompt__version=3,
        langfuse__observation__completion_start_time='"2026-03-02T10:00:00.250000Z"',
        langfuse__environment="prod", langfuse__release="r1", session__id="s", user__id="ann",
    )  # fmt: skip
    expected = {
        "input_text": "Where is it?", "output_text": "Here.", "model_requested": "gpt-4o", "input_tokens": 10,
        "cached_tokens": 4, "output_tokens": 2, "cost_usd": 0.25, "cost_source": "logged", "route": "desk",
        "prompt_name": "desk", "prompt_version": "3", "environment": "prod", "release": "r1", "session_id": "s",
        "params_json": '{"temperature": 0}', "user_key": user_key("ann"), "is_cut": False,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_a_failed_generation_of_langfuses_sdk() -> None:
    (row,) = of_span(langfuse__observation__type="generation", langfuse__observation__level="ERROR",
                     langfuse__observation__status_message="too many requests")  # fmt: skip
    assert (row["status"], row["error_message"]) == ("error", "too many requests")


def test_a_call_that_litellms_callback_logs() -> None:
    call = {"id": "k", "type": "function", "function": {"name": "map", "arguments": "{}"}}
    parts = [{"role": turn["role"], "parts": [{"type": "text", "content": turn["content"]}]} for turn in ASKED]
    (row,) = of_span(
        gen_ai__operation__name="acompletion", gen_ai__system="openai", gen_ai__request__model="gpt-4o",
        gen_ai__cost__total_cost=0.5, metadata__user_api_key_end_user_id="ann", metadata__user_api_key_alias="desk",
        gen_ai__input__messages=json.dumps(parts),
        gen_ai__output__messages=json.dumps([{"role": "assistant", "finish_reason": "tool_calls", "tool_calls": [call],
                                              "parts": [{"type": "text", "content": ""}]}]),
        gen_ai__response__finish_reasons='["tool_calls"]', gen_ai__usage__input_tokens=9,
        gen_ai__usage__output_tokens=1,
    )  # fmt: skip
    assert json.loads(row["messages_json"]) == ASKED
    assert json.loads(row["output_json"])["tool_calls"] == [call]
    assert (row["cost_usd"], row["finish_reason"], row["user_key"]) == (0.5, "tool_calls", user_key("ann"))
    assert "ann" not in row["tags"]
    assert "desk" in row["tags"]


@pytest.mark.parametrize(("kind", "calls"), [("acompletion", 1), ("chat", 1), ("aresponses", 1), ("aembedding", 0)])
def test_a_span_without_contents_is_a_call_by_its_request_type(kind: str, calls: int) -> None:
    assert len(of_span(llm__request__type=kind, gen_ai__request__model="m")) == calls


def test_a_chat_model_of_mlflows() -> None:
    (row,) = of_span(
        mlflow__spanType='"CHAT_MODEL"', mlflow__spanInputs=json.dumps({"messages": ASKED, "model": "gpt-4o"}),
        mlflow__spanOutputs=json.dumps({"choices": [{"message": {"role": "assistant", "content": "Here."},
                                                     "finish_reason": "stop"}]}),
        mlflow__chat__tokenUsage='{"input_tokens": 7, "output_tokens": 2, "total_tokens": 9}',
    )  # fmt: skip
    told = ("input_text", "output_text", "finish_reason", "input_tokens", "output_tokens")
    assert [row[name] for name in told] == ["Where is it?", "Here.", "stop", 7, 2]


def test_what_mlflow_says_was_judged_of_a_trace_is_feedback() -> None:
    trace_id, of_span = "tr-0af7651916cd43dd8448eb211c80319c", "00000000000000a1"

    def assessment(name: str, **more: Any) -> dict[str, Any]:
        return {"assessment_id": f"a-{name}", "assessment_name": name, "trace_id": trace_id,
                "source": {"source_type": "HUMAN", "source_id": "ann"}, "create_time": "2026-03-02T11:00:00Z",
                "last_update_time": "2026-03-02T11:00:00Z", "feedback": {"value": True}, **more}  # fmt: skip

    trace = {
        "info": {"trace_id": trace_id, "assessments": [
            assessment("helpful", rationale="clear"),
            assessment("score", source={"source_type": "LLM_JUDGE"}, feedback={"value": 0.5}, span_id=of_span),
            assessment("old", valid=False),
            assessment("wanted", feedback=None, expectation={"value": "x"}),
        ]},
        "data": {"spans": [span(attributes_of(mlflow__spanType='"CHAT_MODEL"', mlflow__llm__model='"m"'))]},
    }  # fmt: skip
    found = mapped("otel", trace)
    assert (found.interactions.num_rows, found.refused.num_rows) == (1, 0)
    told = ("call_id", "kind", "value", "comment", "origin")
    assert [tuple(row[name] for name in told) for row in found.feedback.to_pylist()] == [
        ("0af7651916cd43dd8448eb211c80319c", "helpful", "true", "clear", "explicit"),
        ("00000000000000a1", "score", "0.5", None, "implicit"),
    ]


def test_a_call_of_openlit() -> None:
    (row,) = of_span(
        gen_ai__operation__name="chat", gen_ai__provider__name="azure.ai.openai", gen_ai__request__model="gpt-4o",
        gen_ai__request__user="ann", gen_ai__session__id="s", gen_ai__usage__cost=0.25, gen_ai__usage__input_tokens=7,
        gen_ai__usage__output_tokens=2, gen_ai__server__time_to_first_token=0.5,
        gen_ai__response__finish_reasons=["stop"],
        gen_ai__input__messages=json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Where is it?"}]}]),
        gen_ai__output__messages=json.dumps([{"role": "assistant", "finish_reason": "stop", "parts": [
            {"type": "text", "content": "Here."}]}]),
    )  # fmt: skip
    expected = {"input_text": "Where is it?", "output_text": "Here.", "cost_usd": 0.25, "ttft_ms": 500.0,
                "session_id": "s", "user_key": user_key("ann"), "finish_reason": "stop"}  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert "ann" not in (row["params_json"] or "") + (row["tags"] or "")


def test_a_converse_call_of_openinferences_bedrock() -> None:
    said = "llm__output_messages__0__message__"
    (row,) = of_span(
        "openinference", openinference__span__kind="LLM", llm__model_name="anthropic.claude-sonnet-4-5",
        llm__provider="aws", llm__finish_reason="guardrail_intervened", llm__token_count__prompt=5,
        llm__input_messages__0__message__role="user",
        llm__input_messages__0__message__contents__0__message_content__type="text",
        llm__input_messages__0__message__contents__0__message_content__text="Where is it?",
        **{
            f"{said}role": "assistant",
            f"{said}contents__0__message_content__type": "reasoning",
            f"{said}contents__0__message_content__text": "hm",
            f"{said}contents__0__message_content__signature": "xx",
            f"{said}contents__1__message_content__type": "text",
            f"{said}contents__1__message_content__text": "Here.",
        },
    )  # fmt: skip
    told = ("input_text", "output_text", "finish_reason", "input_tokens")
    assert [row[name] for name in told] == ["Where is it?", "Here.", "content_filter", 5]
    assert json.loads(row["output_json"])["reasoning_content"] == "hm"


def test_the_reasoning_of_vercels_sdk_is_not_its_answer() -> None:
    (row,) = of_span(ai__operationId="ai.generateText.doGenerate", ai__prompt__messages=json.dumps(ASKED),
                     ai__response__text="Here.", ai__response__reasoning="Hm", ai__model__id="gpt-4o",
                     ai__model__provider="openai.chat")  # fmt: skip
    assert row["output_text"] == "Here."
    assert json.loads(row["output_json"])["reasoning_content"] == "Hm"


def test_a_model_request_of_pydantic_ai() -> None:
    (row,) = of_span(
        gen_ai__operation__name="chat", gen_ai__provider__name="openai", gen_ai__request__model="gpt-4o",
        gen_ai__system_instructions=json.dumps([{"type": "text", "content": "Be brief."}]),
        gen_ai__input__messages=json.dumps([
            {"role": "user", "parts": [{"type": "text", "content": "Where is it?"}]},
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "k", "name": "map", "arguments": {"q": 1}}]},
            {"role": "user", "parts": [{"type": "tool_call_response", "id": "k", "name": "map", "result": "Graz"}]}]),
        gen_ai__output__messages=json.dumps([{"role": "assistant", "finish_reason": "stop", "parts": [
            {"type": "thinking", "content": "Hm"}, {"type": "text", "content": "In Graz."}]}]),
        operation__cost=0.125,
    )  # fmt: skip
    messages = json.loads(row["messages_json"])
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "tool"]
    assert (row["input_text"], row["output_text"], row["cost_usd"]) == ("Where is it?", "In Graz.", 0.125)


def test_a_prompt_of_spring_ai_is_a_list_of_texts() -> None:
    (row,) = of_span(gen_ai__operation__name="chat", gen_ai__system="openai", gen_ai__prompt=["Where is it?"],
                     gen_ai__completion=["Here."])  # fmt: skip
    assert (row["input_text"], row["output_text"]) == ("Where is it?", "Here.")


def test_the_outputs_of_dspy_are_texts() -> None:
    (row,) = of_span(
        "openinference", openinference__span__kind="LLM", llm__model_name="gpt-4o",
        input__value=json.dumps({"prompt": None, "messages": ASKED, "kwargs": {}}), input__mime_type="application/json",
        output__value=json.dumps(["Here."]), output__mime_type="application/json",
    )  # fmt: skip
    assert (row["input_text"], row["output_text"]) == ("Where is it?", "Here.")

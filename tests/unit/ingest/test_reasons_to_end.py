"""Whatever format and provider tell why an answer ended: it is landed under one name."""

import json
from typing import Any

import pytest

from tests.reading import mapped

AT = "2026-03-02T10:00:00Z"
ASKED = [{"role": "user", "content": "Where?"}]


def chat(reason: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": "Here."}
    return {"id": "c", "object": "chat.completion", "created": 1772445600, "model": "m",
            "choices": [{"index": 0, "finish_reason": reason, "message": said}]}  # fmt: skip


def gemini(reason: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": [{"text": "Here."}]}, "finishReason": reason}]}


def bedrock(reason: str) -> dict[str, Any]:
    return {"output": {"message": {"role": "assistant", "content": [{"text": "Here."}]}}, "stopReason": reason}


def responses(**more: Any) -> dict[str, Any]:
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Here."}]}
    return {"id": "r", "object": "response", "created_at": 1772445600, "model": "m", "output": [said], **more}


def openai(response: dict[str, Any]) -> dict[str, Any]:
    return {"request": {"model": "m", "messages": ASKED}, "response": response, "started_at": AT, "call_id": "c"}


def langfuse(output: dict[str, Any]) -> dict[str, Any]:
    return {"id": "o", "type": "GENERATION", "startTime": AT, "input": ASKED, "output": output}


def litellm(response: dict[str, Any], call_type: str = "acompletion") -> dict[str, Any]:
    return {"id": "c", "call_type": call_type, "startTime": 1772445600.5, "messages": ASKED, "response": response}


@pytest.mark.parametrize(
    ("log_format", "record", "told"),
    [
        ("genchi", {"call_id": "c", "started_at": AT, "input_text": "a", "finish_reason": "sensitive"},
         "content_filter"),
        ("openai", openai(chat("insufficient_system_resource")), "error"),
        ("openai", openai(chat("repetition_truncation")), "length"),
        ("openai", openai(responses(status="incomplete", incomplete_details={"reason": "max_output_tokens"})),
         "length"),
        ("openai", openai(responses(status="completed")), "stop"),
        ("openai", openai(responses(status="failed")), "error"),
        ("openai", openai(responses(status="in_progress")), None),
        ("langfuse", langfuse(chat("abort")), "error"),
        ("langfuse", langfuse(gemini("MAX_TOKENS")), "length"),
        ("langfuse", langfuse(gemini(3)), "content_filter"),
        ("langfuse", langfuse(responses(status="completed")), "stop"),
        ("langfuse", langfuse(bedrock("guardrail_intervened")), "content_filter"),
        ("litellm", litellm(chat("network_error")), "error"),
        ("litellm", litellm(gemini("MAX_TOKENS"), "pass_through_endpoint"), "length"),
        ("litellm", litellm(gemini("MALFORMED_FUNCTION_CALL"), "generate_content"), "error"),
        ("litellm", litellm(responses(status="completed"), "aresponses"), "stop"),
        ("litellm", litellm(responses(incomplete_details={"reason": "content_filter"}), "responses"),
         "content_filter"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)  # fmt: skip
def test_the_reason_to_end_is_landed_under_one_name(log_format: str, record: dict[str, Any], told: str | None) -> None:
    (row,) = mapped(log_format, record).interactions.to_pylist()
    assert row["finish_reason"] == told


def test_an_error_within_the_choice_of_a_reply_is_the_calls() -> None:
    reply = chat("error")
    reply["choices"][0] |= {"error": {"code": "rate_limit_exceeded", "message": "slow down"}, "message": None}
    (row,) = mapped("openai", json.dumps(openai(reply))).interactions.to_pylist()
    expected = ("error", "rate_limit_exceeded", "slow down", "error")
    assert tuple(row[name] for name in ("status", "error_type", "error_message", "finish_reason")) == expected

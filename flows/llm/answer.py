"""The answer to one request, as all stages have it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flows.lake import storable
from flows.llm import reply


@dataclass(frozen=True)
class Answer:
    """The answer to one request. `output_json` is the message with its tool calls; a `cost_usd` of None is unknown.

    `text` is None for a tool call without text; an empty answer is "". A content filter is the error `content_filter`,
    whether the provider reports it in a reply or as a failure.

    `latency_ms` is that of the successful attempt. `error_type` is the name of the exception, or `provider_down` if
    the request was not sent because the breaker was open; `error_class` is one of flows/llm/failures.py, and
    `error_message` has the provider's own words. `finish_reason` is litellm's word, `native_finish_reason` the
    provider's.
    """

    status: Literal["ok", "error"]
    text: str | None = None
    output_json: str | None = None
    response_id: str | None = None
    model_served: str | None = None
    system_fingerprint: str | None = None
    finish_reason: str | None = None
    latency_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    error_type: str | None = None
    error_message: str | None = None
    native_finish_reason: str | None = None
    error_class: str | None = None


def answer_of(
    message: Mapping[str, Any],
    finish_reason: reply.FinishReason,
    *,
    named: Mapping[str, Any],
    tokens: tuple[int | None, int | None],
    cost_usd: float | None,
    latency_ms: float | None = None,
) -> Answer:
    """The Answer of a message that a provider sent. `named` has its `id`, `model` and `system_fingerprint`.

    `tokens` are input and output. It is an error where the finish reason tells of the model's own failure.
    """
    failure = reply.own_failure(finish_reason)
    return Answer(
        "error" if failure else "ok",
        error_type=failure,
        error_class=failure,
        text=None if failure else storable(reply.text_of(message)),
        output_json=storable(json.dumps(message, ensure_ascii=False)),
        response_id=reply.name_of(named.get("id")),
        model_served=reply.name_of(named.get("model")),
        system_fingerprint=reply.name_of(named.get("system_fingerprint")),
        finish_reason=finish_reason.common,
        native_finish_reason=finish_reason.native,
        latency_ms=latency_ms,
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        cost_usd=cost_usd,
    )

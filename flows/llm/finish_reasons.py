"""Finish reasons beside `stop`, `length`, `tool_calls` and `content_filter`: who caused the end of an answer, and which
of the known values a word or a number means. Pure.

| finish reason | from | what it means |
| --- | --- | --- |
| abort, aborted, cancelled, user_cancel, unload | vLLM, SGLang, Cohere, watsonx, Ollama | the server ended it |
| error, failed, network_error, timeout, time_limit | OpenRouter, Mistral, Cohere, Zhipu, watsonx | the server failed |
| insufficient_system_resource, resource_exhausted | DeepSeek, Google | the server is overloaded |
| repetition, repetition_truncation | vLLM, Xiaomi | the model repeats itself, and was stopped |
| model_context_window_exceeded, model_length, error_limit, max_output_tokens | Anthropic, Mistral, Cohere | cut |

The first three are the provider's failures, which may pass. Repetition is the model's own. Content filters under other
names (`sensitive`, `SAFETY`, `refusal`) have litellm's word `content_filter` already.

In logs, a finish reason is any provider's. The known values are those of chat completions (`stop`, `length`,
`tool_calls`, `function_call`, `content_filter`), `error`, and those of Anthropic's messages, which many log as they
come (`end_turn`, `max_tokens`, `stop_sequence`, `tool_use`, `pause_turn`, `refusal`).
"""

import re
from typing import Any

REPETITION = "repetition"

_CLASSES = {
    **dict.fromkeys(("abort", "aborted", "cancel", "cancelled", "canceled", "user_cancel"), "server_error"),
    **dict.fromkeys(("error", "failed", "unload", "engine_overloaded"), "server_error"),
    **dict.fromkeys(("insufficient_system_resource", "resource_exhausted"), "server_error"),
    **dict.fromkeys(("timeout", "time_limit"), "timeout"),
    **dict.fromkeys(("repetition", "repetition_truncation"), REPETITION),
    "network_error": "network",
}
_CUT = ("model_context_window_exceeded", "model_length", "error_limit", "max_output_tokens")
# By a word in small letters, with _ for - and space; "" for what says nothing. The numbers are Gemini's, whose two
# interfaces number differently from 9 on; those of Vertex AI are meant, for its clients log them.
_COMMON = {
    **dict.fromkeys(("", "0", "unspecified", "unknown", "none", "null"), ""),
    **dict.fromkeys(("not_finished", "in_progress", "queued", "incomplete"), ""),
    **dict.fromkeys(("1", "complete", "completed", "finish", "finished", "eos", "eos_token", "endoftext"), "stop"),
    **dict.fromkeys(("2", "max_len", "max_context", "token_limit", REPETITION, "repetition_truncation"), "length"),
    **dict.fromkeys(_CUT, "length"),
    **dict.fromkeys(("tool_call", "tool_calls", "function_calls"), "tool_calls"),
    **dict.fromkeys(("3", "4", "6", "7", "8", "10", "safety", "recitation", "language", "blocklist"), "content_filter"),
    **dict.fromkeys(("prohibited_content", "spii", "model_armor", "image_safety", "sensitive"), "content_filter"),
    **dict.fromkeys(("image_prohibited_content", "image_recitation", "content_filtered"), "content_filter"),
    **dict.fromkeys(("guardrail_intervened", "error_toxic"), "content_filter"),
    **dict.fromkeys(("9", "malformed_function_call", "unexpected_tool_call", "too_many_tool_calls"), "error"),
    **dict.fromkeys(("malformed_response", "missing_thought_signature", "malformed_model_output"), "error"),
    "malformed_tool_use": "error",
}
# Gemini's and Cohere's words, which in small letters are Anthropic's.
_IN_CAPITALS = {"MAX_TOKENS": "length", "STOP_SEQUENCE": "stop", "END_TURN": "stop", "TOOL_USE": "tool_calls"}
_KNOWN = ("stop", "length", "content_filter", "function_call")
# What stands before the word: the name of its type (Python, Java), and in the names of protobuf's enumerations.
_TYPE = re.compile(r"^\w+(?:\.\w+)*\.(?=\w+$)")
_PREFIX = re.compile(r"^(?:finish_)?reason_")


def common_reason(reason: Any) -> str | None:
    """The known value that any provider's word or number means; the word itself where none does; None for no reason."""
    if reason is None:
        return None
    name = _TYPE.sub("", str(reason).strip())
    word = _PREFIX.sub("", re.sub(r"[-\s]", "_", name.lower()))
    found = _IN_CAPITALS.get(name) or _COMMON.get(word)
    if found is None and word in _CLASSES:
        return "error"
    return (word if name == name.upper() or word in _KNOWN else name) if found is None else found or None


def failure_told_by(reason: str | None) -> str | None:
    """The class of failure (see flows/llm/failures.py) that a finish reason tells; None if it tells of an answer."""
    return _CLASSES.get(_plain(reason))


def is_cut(reason: str | None) -> bool:
    """Whether a provider's own finish reason means `length`."""
    return _plain(reason) in _CUT


def _plain(reason: str | None) -> str:
    return (reason or "").lower().replace("-", "_")

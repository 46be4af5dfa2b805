"""Calls as log lines of a litellm gateway: its StandardLoggingPayload, with the fields that are filled in practice."""

import gzip
import io
import json
from collections.abc import Iterable
from typing import Any

from flows.demo import desk
from flows.demo.simulator import Call

# Days before the last day on which a log has an unreadable line, and that line.
BROKEN_LINES = {25: "cut off", 13: "upstream connect error or disconnect/reset before headers", 0: "cut off"}


def lines(calls: list[Call], days_before: int) -> list[str]:
    """The day's log, line by line. On a few days it has an additional, unreadable line."""
    written = [json.dumps(payload(call), ensure_ascii=False) for call in calls]
    if days_before in BROKEN_LINES:
        middle = len(written) // 2
        broken = BROKEN_LINES[days_before]
        written.insert(middle, written[middle][:700] if broken == "cut off" else broken)
    return written


def packed(log: Iterable[str]) -> bytes:
    """The lines, gzipped; the same bytes for the same lines."""
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=4, mtime=0) as file:
        file.write("".join(f"{line}\n" for line in log).encode())
    return buffer.getvalue()


def payload(call: Call) -> dict[str, Any]:
    """One call as litellm's StandardLoggingPayload. Times are epoch seconds, costs USD."""
    failed = call.output is None
    usage = {
        "prompt_tokens": call.input_tokens,
        "completion_tokens": call.output_tokens,
        "total_tokens": call.input_tokens + call.output_tokens,
    }
    ended_at = round(call.started_at + call.latency_s, 4)
    return {
        "id": call.call_id,
        "trace_id": call.call_id.replace("chatcmpl", "trace"),
        "session_id": f"session-{call.call_id[9:17]}-{call.user.number:04d}",
        "call_type": "acompletion",
        "stream": False,
        "status": "failure" if failed else "success",
        "custom_llm_provider": desk.PROVIDER,
        "model": desk.PINNED,
        "model_group": f"{desk.PROVIDER}/{desk.PINNED}",
        "api_base": "",
        "startTime": call.started_at,
        "endTime": ended_at,
        "completionStartTime": ended_at,
        "response_time": call.latency_s,
        "response_cost": 0.0 if failed else call.cost_usd,
        **usage,
        "cache_hit": False,
        "request_tags": ["simulated"],
        "end_user": f"user-{call.user.number:04d}",
        "messages": desk.messages(call.text),
        "response": None if failed else _response(call, usage),
        "error_str": _OVERLOADED["error_message"] if failed else None,
        "error_information": _OVERLOADED if failed else None,
        "model_parameters": {"temperature": 0},
        "hidden_params": {"litellm_model_name": f"{desk.PROVIDER}/{desk.PINNED}"},
        "metadata": {
            "prompt_management_metadata": {"prompt_id": desk.PROMPT_NAME, "prompt_integration": "simulated"},
            "requester_metadata": {
                "route": "triage",
                "environment": "production",
                "release": call.release,
                "prompt_version": call.prompt_version,
            },
            "usage_object": usage,
        },
    }


_OVERLOADED = {
    "error_code": "503",
    "error_class": "ServiceUnavailableError",
    "llm_provider": desk.PROVIDER,
    "error_message": "The simulated model is overloaded; please try again.",
}


def _response(call: Call, usage: dict[str, int]) -> dict[str, Any]:
    message = {"role": "assistant", "content": call.output}
    return {
        "id": call.call_id,
        "object": "chat.completion",
        "created": int(call.started_at),
        "model": desk.PINNED,
        "system_fingerprint": "fp_simulated",
        "choices": [{"index": 0, "finish_reason": "length" if call.is_cut_off else "stop", "message": message}],
        "usage": usage,
    }

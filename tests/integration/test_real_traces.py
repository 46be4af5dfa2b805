"""Real traces of eight agent frameworks, as Langfuse exports them: every call, with all that its columns can hold.

The oracle below reads the exports by itself, in Python. What a framework's shape of messages comes to was read by eye.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from flows.ingest.map.mapper import Mapped
from tests.reading import mapped_files, user_key

TEXTS = {
    "83517f9062f5ada4": ("Say 'Hello World!'", "Hello World!"),
    "e9aac170e5d48125": (
        "What's the weather like in Berlin and New York?",
        "I'll check the weather in both Berlin and New York for you.",
    ),
    "2cc13e77781787fd": ("role", None),  # so the exporter wrote it
    "f8e8f040dc94e67e": ("role", None),
    "371496f71d82baed": ("role", "Great! Here's the current weather for both cities:\n\n**Berlin**"),
    "231c43964b7e7e63": ("\nCurrent Task: Define the HTML", "I now can give a great answer  \nFinal Answer: \n```html"),
    "5ba09605e0929d78": ("Search the web for 'example' and summarize.", 'The search for "example" primarily leads'),
    "4f6535aaebcda355": ("Search the web for 'example' and summarize.", None),
    "7ca8b22f6628d0c7": ("What is Langfuse?", "Langfuse is a tool designed to help developers monitor"),
    "98870087af69bf06": ("What's the weather in Tokyo?", None),
    "90d94774e8e3724d": ("What's the weather in Tokyo?", "The weather in Tokyo is currently sunny. If you need"),
    "5cb389a3bdd21a6e": ("What is Langfuse?", "Langfuse is a tool designed for observability"),
    "1dc6768109615657": ("What is the weather like today in San Francisco?", None),
    "91a17a2274bfd23f": ("What is the weather like today in San Francisco?", None),
}
ROLES = {
    "83517f9062f5ada4": "system user",
    "231c43964b7e7e63": "system user",
    "5ba09605e0929d78": "user user assistant tool tool",
    "4f6535aaebcda355": "user user tool",
    "98870087af69bf06": "system user",
    "90d94774e8e3724d": "system user assistant tool",
    "5cb389a3bdd21a6e": "system user",
}
TOOL_CALLS = {
    "4f6535aaebcda355": ("Web-Search", {"query": "example"}),
    "98870087af69bf06": ("get_weather", {"city": "Tokyo"}),
    "1dc6768109615657": ("getWeather", {"location": "San Francisco"}),
    "91a17a2274bfd23f": ("getWeather", {"location": "San Francisco"}),
}


@pytest.fixture(scope="module")
def exports(shared: Path) -> dict[str, Path]:
    return {path.name: path for path in sorted((shared / "data" / "traces" / "langfuse").glob("*.json"))}


def mapped(path: Path) -> Mapped:
    return mapped_files("langfuse", path)


def nested(value: Any) -> Any:
    """What a text holds, where it holds JSON."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def first(*values: Any) -> Any:
    return next((value for value in values if value not in (None, "", [], {})), None)


def said(message: dict[str, Any]) -> str:
    content = message["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def when(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def expected(call: dict[str, Any], trace: dict[str, Any]) -> dict[str, Any]:
    """The columns of a call that need no judgement about messages."""
    about = nested(call["metadata"]) or {}
    seen = nested(about.get("attributes")) or {}
    used = call["usageDetails"]
    finish = nested(seen.get("gen_ai.response.finish_reasons")) or [seen.get("ai.response.finishReason")]
    answer = nested(call["output"])
    if isinstance(answer, dict) and answer.get("object") == "response":
        called = any(item["type"] == "function_call" for item in answer["output"])
        finish = ["tool_calls" if called else "stop"]
    return {
        "call_id": call["id"],
        "trace_id": call["traceId"],
        "session_id": first(trace["sessionId"], about.get("thread_id")),
        "user_key": user_key(trace["userId"]),
        "route": first(call["promptName"], trace["name"]),
        "environment": call["environment"],
        "release": first(trace["release"], call["version"], trace["version"]),
        "prompt_name": call["promptName"],
        "prompt_version": call["promptVersion"],
        "provider": first(
            seen.get("gen_ai.system"), seen.get("llm.provider"), seen.get("llm.system"),
            seen.get("ai.model.provider"), about.get("ls_provider"),
        ),
        "model_requested": first(
            seen.get("gen_ai.request.model"), seen.get("ai.model.id"), about.get("ls_model_name"), call["model"]
        ),
        "model_served": first(seen.get("gen_ai.response.model"), call["model"]),
        "params_json": first({name: value for name, value in call["modelParameters"].items() if name != "user"}),
        "finish_reason": finish[0] and finish[0].replace("-", "_"),
        "started_at": when(call["startTime"]),
        "latency_ms": (when(call["endTime"]) - when(call["startTime"])).total_seconds() * 1000,
        "ttft_ms": None,  # none of them was streamed
        "input_tokens": used["input"],
        "output_tokens": used["output"],
        "cached_tokens": first(used.get("prompt_details.cache_read"), used.get("input_cache_read")),
        "reasoning_tokens": first(used.get("completion_details.reasoning"), used.get("output_reasoning")),
        "cost_usd": call["totalCost"],
        "cost_source": "logged",
        "status": "success",
        "error_type": None,
        "error_message": None,
        "cache_hit": None,
        "is_shadow": False,
        "tags": first(trace["tags"], about.get("tags")),
    }  # fmt: skip


def test_every_call_of_every_trace_lands_with_all_that_its_columns_can_hold(exports: dict[str, Path]) -> None:
    assert len(exports) == 8
    seen = set()
    for path in exports.values():
        export = json.loads(path.read_text(encoding="utf-8"))
        calls = {item["id"]: item for item in export["observations"] if item["type"] == "GENERATION"}
        result = mapped(path)
        assert len(result.refused) == 0
        assert len(result.other) == len(export["observations"]) - len(calls) + 1  # the trace itself
        rows = {row["call_id"]: row for row in result.interactions.to_pylist()}
        assert rows.keys() == calls.keys()
        for call_id, call in calls.items():
            wanted = expected(call, export["trace"])
            found = {name: rows[call_id].get(name) for name in wanted}
            found |= {name: json.loads(found[name]) for name in ("params_json", "tags") if found[name]}
            wanted |= {"latency_ms": pytest.approx(wanted["latency_ms"]), "cost_usd": pytest.approx(wanted["cost_usd"])}
            assert found == wanted, path.name
        seen |= calls.keys()
    assert seen == TEXTS.keys()


def test_what_was_asked_and_answered_is_read_in_each_frameworks_own_shape(exports: dict[str, Path]) -> None:
    for path in exports.values():
        for row in mapped(path).interactions.to_pylist():
            asked, answered = TEXTS[row["call_id"]]
            assert row["input_text"].startswith(asked)
            assert (row["output_text"] or "").startswith(answered or "")
            assert (row["output_text"] is None) == (answered is None)
            messages, answer = json.loads(row["messages_json"]), json.loads(row["output_json"])
            assert [message["role"] for message in messages] == ROLES.get(row["call_id"], "user").split()
            assert answer["role"] == "assistant"
            assert row["input_text"] in [said(message) for message in messages if message["role"] == "user"]
            if row["call_id"] in TOOL_CALLS:
                (call,) = answer["tool_calls"]
                name, arguments = TOOL_CALLS[row["call_id"]]
                assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == (name, arguments)


def test_every_score_and_correction_is_feedback_about_its_trace(exports: dict[str, Path]) -> None:
    total = 0
    for path in exports.values():
        trace = json.loads(path.read_text(encoding="utf-8"))["trace"]
        wanted = {
            (item["observationId"] or item["traceId"], item["name"], when(item["timestamp"])): (
                None if item["dataType"] == "CORRECTION" else float(item["value"]),
                item["comment"],
                item["longStringValue"] or None,
                "implicit" if item["source"] == "EVAL" else "explicit",
            )
            for item in trace["scores"] + trace["corrections"]
        }
        found = {
            (row["call_id"], row["kind"], row["at"]): (
                row["value"] and float(row["value"]), row["comment"], row["edited_output"], row["origin"],
            )
            for row in mapped(path).feedback.to_pylist()
        }  # fmt: skip
        assert found == wanted, path.name
        total += len(found)
    assert total > 8

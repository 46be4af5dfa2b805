"""What the page shows of an answer, as `item_json`: its messages, the answer, and what is known of the call.

What users and models wrote is hostile. It is kept as it is, cut where it is long; the page shows it as text.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from flows.lake import storable

LONGEST = 20_000
"""Characters that are kept of one text."""
MOST_PARTS = 400  # of one conversation: what comes before the last ones is left out, and counted
_KINDS = {
    "text": "text", "input_text": "text", "output_text": "text", "refusal": "text",
    "image_url": "image", "image": "image", "input_image": "image",
    "file": "file", "input_file": "file", "document": "file", "audio": "file", "input_audio": "file",
}  # fmt: skip
_ABOUT = ("call_id", "started_at", "latency_ms", "cost_usd", "finish_reason", "status", "session_id")
Part = dict[str, Any]


def item_json(
    call: Mapping[str, Any], *, expected: str | None = None, other: str | None = None, context: Mapping[str, str]
) -> str:
    """One item: `call` has columns of `interactions`, `other` is a second answer to compare, `context` texts by title.

    The keys are messages, answer, other_answer, expected, call, model and context; see the README of the stage.
    """
    started_at = call.get("started_at")
    about = {name: call.get(name) for name in _ABOUT}
    item = {
        "messages": _messages(call),
        "answer": {"parts": list(_answer(call))},
        "other_answer": None if other is None else {"parts": [_text(other)]},
        "expected": None if expected is None else expected[:LONGEST],
        "call": about | {"started_at": None if started_at is None else started_at.isoformat()},
        "model": call.get("model_served") or "",
        "context": [{"title": title, "text": text[:LONGEST]} for title, text in context.items()],
    }
    return storable(json.dumps(item, ensure_ascii=False))


def _messages(call: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = _parsed(call.get("messages_json"))
    if not isinstance(found, list) or not found or not all(isinstance(one, dict) for one in found):
        text = call.get("input_text")
        return [{"role": "user", "parts": [_text(text)]}] if text else []
    messages = [{"role": str(one.get("role") or "message"), "parts": list(_parts(one))} for one in found[-MOST_PARTS:]]
    if len(found) > MOST_PARTS:
        left = {"type": "other", "name": None, "text": f"{len(found) - MOST_PARTS:,} earlier messages", "cut": None}
        messages.insert(0, {"role": "system", "parts": [left]})
    return messages


def _answer(call: Mapping[str, Any]) -> Iterator[Part]:
    """The answer's text, or what there is instead: calls of tools, images."""
    text = call.get("output_text")
    if text:
        yield _text(text)
    found = _parsed(call.get("output_json"))
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict):
            yield from (part for part in _parts(one) if not (text and part["type"] in ("text", "json")))


def _parts(message: Mapping[str, Any]) -> Iterator[Part]:
    role, content = message.get("role"), message.get("content")
    for part in content if isinstance(content, list) else [] if content is None else [content]:
        if role in ("tool", "function"):
            named = message.get("name") or message.get("tool_call_id")
            yield _part("tool_result", _said(part), None if named is None else str(named))
        else:
            yield _content(part)
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else [message.get("function_call")]:
        if isinstance(call, dict):
            function = call["function"] if isinstance(call.get("function"), dict) else call
            yield _part("tool_call", _said(function.get("arguments", "")), str(function.get("name") or "") or None)


def _content(part: Any) -> Part:
    if not isinstance(part, dict):
        return _text(_said(part))
    kind = _KINDS.get(str(part.get("type")), "other")
    if kind == "text":
        return _text(_said(part.get("text", part.get("refusal", ""))))
    if kind in ("image", "file"):  # never the data: a page must request nothing, and show no foreign image
        return _part(kind, f"{part.get('type')}, not shown", _name_of(part))
    return _part("other", _said(part), str(part.get("type") or "") or None)


def _name_of(part: Mapping[str, Any]) -> str | None:
    """The name or address of an image or file, where it is not the data itself."""
    inner = next((part[name] for name in ("image_url", "file", "source", "document") if name in part), None)
    found = inner if isinstance(inner, str) else None
    if isinstance(inner, Mapping):
        found = next((inner[n] for n in ("url", "filename", "file_id", "name") if isinstance(inner.get(n), str)), None)
    return None if found is None or found.startswith("data:") else found[:200]


def _text(text: str) -> Part:
    """A text, marked as JSON where it is an object or a list."""
    return _part("json" if isinstance(_parsed(text), dict | list) else "text", text)


def _part(kind: str, text: str, name: str | None = None) -> Part:
    cut = len(text) if len(text) > LONGEST else None
    return {"type": kind, "name": name, "text": text[:LONGEST], "cut": cut}


def _said(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parsed(text: Any) -> Any:
    if not isinstance(text, str) or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None

"""One reading of messages for all formats: whatever a framework logged as a call's input or output, as chat messages.

A format's SELECT calls it as `as_chat`. JSON that was written as a text is read wherever
it stands, also where it was quoted twice, but only where it holds messages or parts: a model may answer in JSON, and
that answer is a text.
"""

import json
from typing import Any

from flows.ingest.map.chat_message import (
    Message,
    assembled,
    finish_reason,
    is_message,
    is_message_or_part,
    joined,
    of_parts,
    opened_text,
    read_message,
    role_of,
)
from flows.ingest.map.message_parts import as_text, is_part, read_parts
from flows.ingest.map.surrogates import without_surrogates

_OF_EVENT = ("event.name", "gen_ai.message.index", "message", "index")


def chat_messages(given: str | None, role: str) -> str | None:
    """JSON of a list of chat messages out of the JSON of what was logged; None where that is null.

    What is not understood is the text of one message of `role`. Messages that are plain already stay as they stand.
    """
    if given is None:
        return None
    try:
        value = json.loads(given)
        if value is None:
            return None
        inner, opened = (value, False) if isinstance(value, dict | list) else (opened_text(value), True)
        found = None if inner is None else understood(inner, role, is_text=opened)
        if found is None:
            text = as_text(value) if isinstance(value, str) else given
            found = [{"role": role, "content": text}]
        elif found == inner and not opened:
            return given
        return without_surrogates(json.dumps(found, ensure_ascii=False, separators=(",", ":")))
    except (ValueError, RecursionError):
        return json.dumps([{"role": role, "content": given}])


def understood(value: Any, role: str, *, is_text: bool = False) -> list[Message] | None:
    """The chat messages in a list or an object; None where it is none that a known framework writes.

    `is_text`: it was written as a text, so that a list of texts is a text like any other.
    """
    if isinstance(value, list):
        return _of_list(value, role, is_text)
    if not isinstance(value, dict):
        return None
    wrapped = _unwrapped(value, role)
    if wrapped is not None:
        return wrapped
    if is_part(value) and "type" in value:
        return joined([of_parts([value], role)])
    return joined([read_message(value, role)]) if is_message(value) else None


def _of_list(value: list[Any], role: str, is_text: bool) -> list[Message] | None:  # noqa: PLR0911, one a shape
    if not value:
        return []
    opened = [opened_text(item) for item in value if isinstance(item, str)]
    if len(opened) == len(value) and all(map(is_message_or_part, opened)):
        return _of_list(opened, role, is_text)
    if all(isinstance(item, list) for item in value):
        if all(len(item) == 2 and all(isinstance(one, str) for one in item) for item in value):
            return [{"role": role_of(item[0], role), "content": item[1]} for item in value]  # LangChain's pairs
        return understood(value[0], role)  # a batch of one
    if any(isinstance(item, dict) and "event.name" in item for item in value):
        return _of_events(value, role)
    if any(is_message(item) for item in value):
        return joined([read_message(item, role) for item in value])
    if any(is_part(item) for item in value):
        return joined([of_parts(value, role)])
    if not is_text:
        return [{"role": role, "content": item} if isinstance(item, str) else item for item in value]
    return None


def _of_events(events: list[Any], role: str) -> list[Message]:
    """GenAI's events of a call as Pydantic AI puts them into one attribute: its questions, or its choice."""
    found = []
    for event in events:
        name = str(event.get("event.name", "")) if isinstance(event, dict) else ""
        if (name == "gen_ai.choice") == (role == "assistant") and name.startswith("gen_ai."):
            inner = event.get("message")
            message = inner if isinstance(inner, dict) else {**event, "content": event.get("content", inner)}
            default = "assistant" if name == "gen_ai.choice" else name.split(".")[1]
            found.append(read_message({key: value for key, value in message.items() if key not in _OF_EVENT}, default))
    return joined(found)


def _unwrapped(value: dict[str, Any], role: str) -> list[Message] | None:  # noqa: PLR0911, one a shape
    """What a request or a response holds: its messages, or its first answer."""
    if "role" in value and "messages" not in value:
        return None
    if isinstance(generations := value.get("generations"), list) and generations:
        first = generations[0][0] if isinstance(generations[0], list) and generations[0] else generations[0]
        return _generation(first) if isinstance(first, dict) else None
    for name in ("choices", "candidates"):
        if isinstance(several := value.get(name), list) and several and isinstance(several[0], dict):
            return _generation(several[0])
    if isinstance(output := value.get("output"), dict) and isinstance(output.get("message"), dict):
        return _answered(output["message"], value.get("stopReason"))
    if isinstance(output, list) and (value.get("object") == "response" or any(map(is_message, output))):
        return _one_answer(_of_list(output, "assistant", True) or [])
    if isinstance(calls := opened_text(value.get("toolCalls")) or value.get("toolCalls"), list):  # Vercel's
        parts = read_parts([{"type": "tool-call", **call} for call in calls if isinstance(call, dict)])
        parts.content = read_parts([value["text"]] if isinstance(value.get("text"), str) else []).content
        return assembled(parts, "assistant", {})
    for name in ("messages", "contents", "input", "prompt", "prompts"):
        inner = value.get(name)
        if isinstance(inner, list):
            asked = understood(inner, role)
            return None if asked is None else _instructions(value) + asked
    if isinstance(inner := value.get("content"), dict) and isinstance(inner.get("parts"), list):
        return _answered(inner, value.get("finish_reason", value.get("finishReason")))
    if isinstance(inner := value.get("message"), dict) and is_message(inner):
        return _answered(inner, value.get("finish_reason", value.get("done_reason")))
    if "prompt" in value and isinstance(value["prompt"], str) and set(value) <= {"prompt", "system", "instructions"}:
        return [*_instructions(value), {"role": role, "content": value["prompt"]}]
    return None


def _instructions(value: dict[str, Any]) -> list[Message]:
    config = value.get("config") if isinstance(value.get("config"), dict) else {}
    names = ("system", "systemInstruction", "system_instruction", "instructions")
    found = next((given[name] for given in (value, config or {}) for name in names if given.get(name)), None)
    if isinstance(found, dict) and isinstance(found.get("parts"), list):
        found = found["parts"]
    content = read_parts(found).as_content() if isinstance(found, list) else found
    return [{"role": "system", "content": content}] if isinstance(content, str | list) else []


def _generation(choice: dict[str, Any]) -> list[Message] | None:
    """A choice of OpenAI's, a candidate of Gemini's, a generation of LangChain's."""
    info = choice.get("generation_info") if isinstance(choice.get("generation_info"), dict) else {}
    reason = choice.get("finish_reason", choice.get("finishReason", (info or {}).get("finish_reason")))
    inner = next((choice[name] for name in ("message", "content") if isinstance(choice.get(name), dict)), None)
    if inner is not None:
        return _answered(inner, reason)
    text = choice.get("text", choice.get("content"))
    return _answered({"content": text}, reason) if isinstance(text, str) else None


def _answered(message: dict[str, Any], reason: Any) -> list[Message]:
    found = _one_answer(joined([read_message(message, "assistant")]))
    if reason is not None and found and "finish_reason" not in found[0]:
        found[0]["finish_reason"] = finish_reason(reason)
    return found


def _one_answer(messages: list[Message]) -> list[Message]:
    """Several messages of one answer (its text, its calls of tools) as one."""
    if len(messages) < 2 or any(message.get("role") != "assistant" for message in messages):
        return messages
    texts = [message["content"] for message in messages if isinstance(message.get("content"), str)]
    calls = [call for message in messages for call in message.get("tool_calls") or []]
    others: Message = {}
    for message in messages:
        others.update({name: value for name, value in message.items() if name not in ("content", "tool_calls", "role")})
    content = "".join(texts) if texts else messages[0].get("content")
    return [{"role": "assistant", "content": content, **others, **({"tool_calls": calls} if calls else {})}]

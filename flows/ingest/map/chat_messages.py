"""One reading of messages for all formats: whatever a framework logged as a call's input or output, as chat messages.

JSON that was written as a text is read wherever it stands, also where it was quoted twice, but only where it holds
messages or parts: a model may answer in JSON, and that answer is a text.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from flows.ingest.map.chat_message import (
    Message,
    assembled,
    finish_reason,
    is_item,
    is_message,
    is_message_or_part,
    joined,
    list_in,
    object_in,
    of_parts,
    opened_text,
    read_message,
    role_of,
)
from flows.ingest.map.cut_texts import closed, is_placeholder, was_cut
from flows.ingest.map.message_parts import are_parts, as_text, is_part, read_parts

_OF_EVENT = ("event.name", "gen_ai.message.index", "message", "index")
_OF_MESSAGES = {"role", "parts", "kwargs"}
_OF_OUTPUT = {"text", "reasoning_content"}
_OF_WRAPPERS = {"messages", "contents", "choices", "candidates", "generations", "config", "system_instruction"}
# The names under which frameworks put instructions, and the one text that they asked.
_INSTRUCTIONS = ("system", "systemInstruction", "system_instruction", "instructions")
_ASKED = ("prompt", "input", "question", "query", "contents", "content")


UNREADABLE = (ValueError, RecursionError, TypeError, AttributeError, LookupError)
"""What reading a value may raise that has no known shape. Then it is a text like any other, and no record is lost."""


@dataclass(frozen=True)
class Read:
    """The chat messages in what was logged, and whether that was cut off before it was logged."""

    messages: list[Message]
    is_cut: bool = False
    is_unchanged: bool = False
    """Whether the messages are the JSON that was given, as it stands."""


def read_messages(given: str, role: str) -> Read:
    """The chat messages in the JSON of what was logged. What is not understood is the text of one message of `role`."""
    try:
        value = json.loads(given)
        inner, opened = (value, False) if isinstance(value, dict | list) else (opened_text(value), True)
        found = None if inner is None else understood(inner, role, is_text=opened)
        if found is not None:
            kept = [message for message in found if not _is_left_out(message)]
            is_cut = was_cut(given) or len(kept) < len(found) or _leaves_out(inner)
            return Read(kept, is_cut, not opened and kept == inner)
        return _of_text(given, value, role)
    except UNREADABLE:
        return Read([{"role": role, "content": given}])


def _of_text(given: str, value: Any, role: str) -> Read:
    """The messages of a value that is none: of JSON without its end, of a conversation that was written as a text."""
    if value is None or value == "" or is_placeholder(value):
        return Read([], is_cut=bool(value))
    if isinstance(value, str) and _is_of_messages(part := closed(value)):
        return Read(_whole(understood(part, role, is_text=True) or []), is_cut=True)
    if isinstance(value, str) and (turns := _transcript(value)):
        return Read(turns)
    return Read([{"role": role, "content": as_text(value) if isinstance(value, str) else given}])


def _is_of_messages(value: Any) -> bool:
    """Whether what JSON without its end began is of messages, or of what holds them."""
    if isinstance(value, list):
        return any(isinstance(item, dict) and (item.keys() & _OF_MESSAGES or is_message_or_part(item))
                   for item in value[:1])  # fmt: skip
    return isinstance(value, dict) and bool(value.keys() & _OF_WRAPPERS)


def _whole(messages: list[Message]) -> list[Message]:
    """The messages without the last where nothing of it was left but its role."""
    says = messages and {name for name, value in messages[-1].items() if value not in (None, "", [])} - {"role"}
    return messages if says or not messages else messages[:-1]


def _is_left_out(message: Any) -> bool:
    return (
        isinstance(message, dict) and is_placeholder(message.get("content")) and not message.get("tool_calls")
    ) or is_placeholder(message)


def _leaves_out(value: Any) -> bool:
    """Whether a text stands among messages for others that were left out."""
    items = next((value[name] for name in ("messages", "contents") if name in value), None) \
        if isinstance(value, dict) else value  # fmt: skip
    return isinstance(items, list) and len(_told(items)) < len(items)


def _told(items: list[Any]) -> list[Any]:
    """The items without texts that stand for messages that were left out."""
    if not any(isinstance(item, dict) for item in items):
        return items
    return [item for item in items if not is_placeholder(item, is_item=True)]


def _transcript(text: str) -> list[Message]:
    """The messages of a conversation that was written as one text: `system: ...`, and lines of `user: ...`."""
    if not text.startswith(("system: ", "user: ")):
        return []
    several = re.split(r"(?:^|\n)(system|user|assistant|tool): ", text)[1:]
    return [{"role": role, "content": said} for role, said in zip(several[::2], several[1::2], strict=True)]


def understood(value: Any, role: str, *, is_text: bool = False) -> list[Message] | None:
    """The chat messages in a list or an object; None where it is none that a known framework writes.

    `is_text`: it was written as a text, so that a list of texts is a text like any other.
    """
    if isinstance(value, list):
        return _of_list(value, role, is_text)
    if not isinstance(value, dict):
        return None
    wrapped = _unwrapped(value, role, is_text)
    if wrapped is not None:
        return wrapped
    if is_part(value) and "type" in value:
        return joined([of_parts([value], role)])
    if not is_message(value) or (is_text and not value.keys() & {"role", "parts", "kwargs", "data", "event.name"}):
        return None
    return joined([read_message(value, role)])


def _of_list(value: list[Any], role: str, is_text: bool) -> list[Message] | None:  # noqa: PLR0911 - one return a shape
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
        found = joined([read_message(item, role) for item in _told(value)])
        return one_answer(found) if role == "assistant" and any(map(is_item, value)) else found
    if any(isinstance(item, dict) and item.keys() >= _OF_OUTPUT for item in value):  # DSPy's outputs
        return [{"role": role, "content": item["text"], "reasoning_content": item["reasoning_content"]}
                for item in value if isinstance(item, dict) and item.keys() >= _OF_OUTPUT]  # fmt: skip
    if are_parts(value) if is_text else any(map(is_part, value)):
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
            if name == "gen_ai.tool.message" and "id" in message:
                message = {"tool_call_id": message["id"], **message}
            found.append(read_message({key: value for key, value in message.items() if key not in _OF_EVENT}, default))
    return joined(found)


def _unwrapped(value: dict[str, Any], role: str, is_text: bool) -> list[Message] | None:
    """What a request or a response holds: its messages, or its first answer."""
    if "role" in value and "messages" not in value:
        return None
    if isinstance(args := value.get("args"), list):  # of a function that was watched
        named = object_in(value, "kwargs")
        return (named and _unwrapped(named, role, is_text)) or understood(args, role, is_text=is_text)
    found = _response(value)
    if found is not None:
        return found
    names = ("messages", "contents", "input", "prompt", "prompts") if role == "user" else ("messages", "contents")
    for name in names:
        inner = value.get(name)
        if isinstance(inner, list) or (isinstance(inner, dict) and is_message(inner)):
            asked = understood(inner, role, is_text=is_text)
            return None if asked is None else _instructions(value) + asked
    text = next((value[name] for name in _ASKED if isinstance(value.get(name), str)), None)
    if text is None or role != "user" or (is_text and not value.keys() <= {*_ASKED, *_INSTRUCTIONS}):
        return None
    return [*_instructions(value), {"role": role, "content": text}]


def _response(value: dict[str, Any]) -> list[Message] | None:  # noqa: PLR0911 - one return a shape
    """The first answer in a response: OpenAI's, Gemini's, Bedrock's, LangChain's, Vercel's, ADK's, Ollama's."""
    if isinstance(generations := value.get("generations"), list) and generations:
        first = generations[0][0] if isinstance(generations[0], list) and generations[0] else generations[0]
        return _generation(first) if isinstance(first, dict) else None
    for name in ("choices", "candidates"):
        if isinstance(several := value.get(name), list) and several and isinstance(several[0], dict):
            return _generation(several[0])
    if isinstance(output := value.get("output"), dict) and isinstance(output.get("message"), dict):
        return _answered(output["message"], value.get("stopReason"))
    if isinstance(output, list) and (value.get("object") == "response" or any(map(is_message, output))):
        return one_answer(_of_list(output, "assistant", True) or [])
    if isinstance(calls := opened_text(value.get("toolCalls")) or value.get("toolCalls"), list):  # Vercel's
        parts = read_parts([{"type": "tool-call", **call} for call in calls if isinstance(call, dict)])
        parts.content = read_parts([value["text"]] if isinstance(value.get("text"), str) else []).content
        parts.reasoning = [value["reasoning"]] if isinstance(value.get("reasoning"), str) else []
        return assembled(parts, "assistant", {})
    if isinstance(inner := value.get("content"), dict) and isinstance(inner.get("parts"), list):
        return _answered(inner, value.get("finish_reason", value.get("finishReason")))
    if isinstance(inner := value.get("message"), dict) and is_message(inner):
        return _answered(inner, value.get("finish_reason", value.get("done_reason")))
    if isinstance(value.get("completion"), str) and len(value) == 1:
        return [{"role": "assistant", "content": value["completion"]}]
    return None


def _instructions(value: dict[str, Any]) -> list[Message]:
    config = object_in(value, "config")
    found = next((given[name] for given in (value, config) for name in _INSTRUCTIONS if given.get(name)), None)
    return instructions_of(found)


def instructions_of(found: Any) -> list[Message]:
    """What stands in a field for the instructions of a model (a text, parts, a content of Gemini's), as messages."""
    if (
        isinstance(found, str)
        and (inner := opened_text(found))
        and (are_parts(inner) or is_message(inner) or (isinstance(inner, list) and is_message(inner[0])))
    ):
        found = inner
    if isinstance(found, list) and any(isinstance(item, dict) and "role" in item for item in found):
        return understood(found, "system") or []
    if isinstance(found, dict) and isinstance(found.get("parts"), list):
        found = found["parts"]
    content = read_parts(found).as_content() if isinstance(found, list) else found
    return [{"role": "system", "content": content}] if isinstance(content, str | list) else []


def _generation(choice: dict[str, Any]) -> list[Message] | None:
    """A choice of OpenAI's, a candidate of Gemini's, a generation of LangChain's."""
    info = object_in(choice, "generation_info")
    reason = choice.get("finish_reason", choice.get("finishReason", info.get("finish_reason")))
    inner = next((choice[name] for name in ("message", "content") if isinstance(choice.get(name), dict)), None)
    if inner is not None:
        return _answered(inner, reason)
    text = choice.get("text", choice.get("content"))
    is_choice = reason is not None or info or choice.keys() & {"index", "logprobs", "type"} or set(choice) == {"text"}
    return _answered({"content": text}, reason) if isinstance(text, str) and is_choice else None


def _answered(message: dict[str, Any], reason: Any) -> list[Message]:
    found = one_answer(joined([read_message(message, "assistant")]))
    if reason is not None and found and "finish_reason" not in found[0]:
        found[0]["finish_reason"] = finish_reason(reason)
    return found


def one_answer(messages: list[Message]) -> list[Message]:
    """Several messages of one answer (its text, its calls of tools) as one."""
    if len(messages) < 2 or any(message.get("role") != "assistant" for message in messages):
        return messages
    texts = [message["content"] for message in messages if isinstance(message.get("content"), str)]
    calls = [call for message in messages for call in list_in(message, "tool_calls")]
    others: Message = {}
    for message in messages:
        others.update({name: value for name, value in message.items() if name not in ("content", "tool_calls", "role")})
    content = "".join(texts) if texts else messages[0].get("content")
    return [{"role": "assistant", "content": content, **others, **({"tool_calls": calls} if calls else {})}]

"""One message, in whatever shape a framework gives it, as chat messages."""

import json
from typing import Any

from flows.ingest.map.message_parts import FAILED, REASONING, Parts, are_parts, as_text, is_part, read_parts, tool_call

Message = dict[str, Any]
_ROLES = {
    **{role: role for role in ("system", "user", "assistant", "tool", "developer", "function")},
    **dict.fromkeys(("human", "humanmessage", "humanmessagechunk"), "user"),
    **dict.fromkeys(("ai", "model", "aimessage", "aimessagechunk", "bot", "chatbot"), "assistant"),
    **dict.fromkeys(("systemmessage", "systemmessagechunk", "system-prompt"), "system"),
    **dict.fromkeys(("toolmessage", "toolmessagechunk", "tool-return", "retry-prompt", "ipython"), "tool"),
    "user-prompt": "user",
}
_DEEPEST = 4
# What stands beside messages among the items of OpenAI's Responses.
_ITEMS = ("message", "function_call", "function_call_output", "reasoning")
# What stands in Anthropic's response beside its message.
_OF_RESPONSE = ("role", "content", "id", "type", "model", "usage", "stop_reason", "stop_sequence", "container")


def opened_text(value: Any) -> Any:
    """The object or list that a text holds, though it be quoted several times; None where it holds none."""
    for _ in range(_DEEPEST):
        if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "[", '"'):
            break
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict | list) else None


def object_in(given: dict[str, Any], name: str) -> dict[str, Any]:
    """What stands under a name, where that is an object; else an empty one."""
    found = given.get(name)
    return found if isinstance(found, dict) else {}


def list_in(given: dict[str, Any], name: str) -> list[Any]:
    """What stands under a name, where that is a list; else an empty one."""
    found = given.get(name)
    return found if isinstance(found, list) else []


def is_message_or_part(value: Any) -> bool:
    """Whether an object is a message, or a part of one."""
    return is_part(value) or is_message(value)


def is_message(value: Any) -> bool:
    """Whether an object is a message of any framework's."""
    if not isinstance(value, dict) or (is_part(value) and value.get("type") not in _ITEMS and "parts" not in value):
        return False
    if value.get("type") in _ITEMS:
        return True
    if isinstance(value.get("role"), str) or isinstance(value.get("parts"), list) or "content" in value:
        return True
    return "event.name" in value or isinstance(value.get("kwargs", value.get("data")), dict)


def is_item(value: Any) -> bool:
    """Whether an object is one of several in which one answer came: an item of OpenAI's Responses, or a part."""
    return isinstance(value, dict) and (value.get("type") in _ITEMS or is_part(value))


def finish_reason(reason: Any) -> str:
    """A reason to end as a text: SGLang logs an object with its `type`, Vercel's AI SDK one with its `raw` word."""
    if isinstance(reason, dict):
        reason = next((reason[name] for name in ("type", "raw", "unified") if isinstance(reason.get(name), str)), "")
    return str(reason)


def read_message(given: Any, default_role: str) -> list[Message]:  # noqa: PLR0911 - one return a shape
    """One message, in whatever shape, as one or more chat messages: each result of a tool is one of its own."""
    if not isinstance(given, dict):
        return [{"role": default_role, "content": given if isinstance(given, str) or given is None else as_text(given)}]
    if isinstance(kwargs := given.get("kwargs", given.get("data")), dict) and "content" in kwargs:
        named = given["id"][-1] if isinstance(given.get("id"), list) and given["id"] else given.get("type")
        return _langchain(kwargs, role_of(kwargs.get("type", named), default_role))
    kind = given.get("type") if isinstance(given.get("type"), str) else ""
    if kind in REASONING and "role" not in given:
        return [{"role": "reasoning", "content": "\n".join(read_parts([given]).reasoning)}]
    if is_part(given):
        return of_parts([given], default_role)
    if ("role" not in given and "response_metadata" in given) or (kind in _ROLES and "role" not in given):
        return _langchain(given, role_of(kind, default_role))
    if isinstance(given.get("additional_kwargs"), dict):  # LangChain's message by its role
        return _langchain(given, role_of(given.get("role"), default_role))
    if isinstance(given.get("parts"), list):
        return _of_message_with_parts(given, default_role)
    return _plain(given, default_role)


def _plain(given: Message, default_role: str) -> list[Message]:
    """A message that has a content; it stays as it is where nothing of it is of another framework's making."""
    role, content = role_of(given.get("role"), default_role), given.get("content")
    if isinstance(content, dict) and isinstance(content.get("parts"), list):  # Gemini's content, within a message
        return _of_message_with_parts({**content, **given, "parts": content["parts"]}, default_role)
    blocks = opened_text(content) if isinstance(content, str) and content.lstrip()[:1] in ("[", '"') else content
    if isinstance(blocks, list) and any(isinstance(one, str) for one in blocks):
        blocks = [inner if is_part(inner := opened_text(one)) else one for one in blocks]
    if isinstance(blocks, list) and blocks and (isinstance(content, list) or are_parts(blocks)):
        parts = read_parts(blocks)
        is_one_text = len(blocks) == 1 and isinstance(blocks[0], dict) and blocks[0].keys() == {"type", "text"}
        if blocks == content and role == given.get("role") and parts.content == blocks and not is_one_text:
            return [given]
        kept = {name: value for name, value in given.items() if name not in _OF_RESPONSE}
        if isinstance(given.get("stop_reason"), str):
            kept = {"finish_reason": given["stop_reason"], **kept}
        return assembled(parts, role, kept)
    if role == given.get("role"):
        return [given]
    return [{**given, "role": role, "content": content}] if "role" in given else [{"role": role, **given}]


def _langchain(kwargs: dict[str, Any], role: str) -> list[Message]:
    content = kwargs.get("content")
    parts = read_parts(content if isinstance(content, list) else [content] if isinstance(content, str) else [])
    metadata, more = object_in(kwargs, "response_metadata"), object_in(kwargs, "additional_kwargs")
    kept: Message = {name: kwargs[name] for name in ("tool_call_id", "name") if kwargs.get(name) is not None}
    if role == "tool" and kwargs.get("status") == FAILED:
        kept["status"] = FAILED
    if calls := list_in(kwargs, "tool_calls") or list_in(more, "tool_calls"):
        kept["tool_calls"] = [
            call if not isinstance(call, dict) or "function" in call
            else tool_call(call.get("id"), call.get("name"), call.get("args"))
            for call in calls
        ]  # fmt: skip
        parts.tool_calls = []
    reason = next((metadata[name] for name in ("finish_reason", "stop_reason") if name in metadata), None)
    return assembled(parts, role, {**kept, **({} if reason is None else {"finish_reason": finish_reason(reason)})})


def _of_message_with_parts(given: Message, default_role: str) -> list[Message]:
    kinds = [part.get("part_kind") for part in given["parts"] if isinstance(part, dict)]
    if any(kind in _ROLES for kind in kinds):  # Pydantic AI's own messages: a part each is a message
        found: list[Message] = []
        for part in given["parts"]:
            if isinstance(part, dict) and part.get("part_kind") in ("system-prompt", "user-prompt"):
                found += _plain({"role": role_of(part["part_kind"], "user"), "content": part.get("content")}, "user")
            else:
                found += of_parts([part], "assistant")
        return found
    role = role_of(given.get("role"), "assistant" if given.get("kind") == "response" else default_role)
    names = ("name", "finish_reason", "tool_calls", "tool_call_id")
    kept = {name: given[name] for name in names if given.get(name) is not None}
    return assembled(read_parts(given["parts"]), role, kept)


def of_parts(parts: list[Any], role: str) -> list[Message]:
    """The chat messages that a list of parts comes to."""
    return assembled(read_parts(parts), role, {})


def assembled(parts: Parts, role: str, kept: Message) -> list[Message]:
    """Chat messages of parts: the results of tools, then the message itself with its calls and its reasoning."""
    has_more = bool(parts.content or parts.tool_calls or parts.reasoning)
    if parts.tool_results and not has_more:
        return parts.tool_results
    calls = parts.tool_calls + [call for call in list_in(kept, "tool_calls") if not parts.tool_calls]
    if parts.tool_calls and role not in ("assistant", "tool"):
        role = "assistant"
    message: Message = {"role": role, "content": parts.as_content()}
    message.update({name: value for name, value in kept.items() if name not in ("tool_calls", "finish_reason")})
    if parts.reasoning:
        message["reasoning_content"] = "".join(parts.reasoning)
    if calls:
        message["tool_calls"] = calls
    if "finish_reason" in kept:
        message["finish_reason"] = kept["finish_reason"]
    return [*parts.tool_results, message]


def joined(several: list[list[Message]]) -> list[Message]:
    """Messages in one list; a message that is all reasoning is that of the assistant's message after it."""
    found: list[Message] = []
    thought: list[str] = []
    for message in (one for messages in several for one in messages):
        if message.get("role") in REASONING:
            thought.append(as_text(message.get("content") or ""))
        elif any(thought) and message.get("role") == "assistant":
            found.append({**message, "reasoning_content": message.get("reasoning_content") or "\n".join(thought)})
            thought = []
        elif message.get("tool_call_id") and found and message == found[-1]:
            continue  # botocore's instrumentation logs a result twice: by itself, and within the user's message
        else:
            found.append(message)
    if any(thought):
        found.append({"role": "assistant", "content": None, "reasoning_content": "\n".join(thought)})
    return found


def role_of(name: Any, default: str) -> str:
    """The chat role that a framework's name for it means; names that are not known stay."""
    if not isinstance(name, str) or not name:
        return default
    short = name.rpartition(".")[2].lower()  # Role.USER, MessageRole.user
    return _ROLES.get(short, name)

"""The parts of a message, as the instrumentations and providers write them, read to what a chat message holds.

Understood are the blocks of OpenAI (chat completions and Responses), Anthropic, Bedrock, Gemini (also as ADK logs it),
Vercel's AI SDK, Pydantic AI, and the parts of OpenTelemetry's GenAI conventions. Reasoning is never a part of the
content; an image, a sound or a file is a part without text, but for a sound's transcript.
"""

import json
from dataclasses import dataclass, field
from typing import Any

REASONING = ("reasoning", "thinking", "redacted_thinking", "thought", "summary_text", "reasoning_text")
_TEXT = ("text", "input_text", "output_text")
_CALLS = ("tool_call", "tool_use", "tool-call", "function_call", "server_tool_use")
_RESULTS = ("tool_call_response", "tool_result", "tool-result", "function_call_output", "tool-return", "retry-prompt")
_OTHER = (
    *("image", "image_url", "input_image", "audio", "input_audio", "output_audio", "file", "input_file", "document"),
    *("refusal", "uri", "blob", "video", "video_url", "image-url", "audio-url", "document-url", "binary"),
)
_BEDROCK = ("toolUse", "toolResult", "reasoningContent", "cachePoint", "guardContent", "image", "document", "video")
_GEMINI = (
    *("functionCall", "function_call", "functionResponse", "function_response", "inlineData", "inline_data"),
    *("fileData", "file_data", "executableCode", "executable_code", "codeExecutionResult", "code_execution_result"),
)
_CALLED = ("toolUse", "functionCall", "function_call")
TYPES = frozenset((*_TEXT, *_CALLS, *_RESULTS, *REASONING, *_OTHER))


@dataclass
class Parts:
    """What the parts of one message come to: its content's parts, and what is no content."""

    content: list[Any] = field(default_factory=list)
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    tool_results: list[dict[str, Any]] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)

    def as_content(self) -> Any:
        """A text where all of it is one text, else the list of parts; None where there is none."""
        if not self.content:
            return None
        if len(self.content) == 1 and isinstance(part := self.content[0], dict) and part.get("type") == "text":
            return part.get("text")
        return self.content


def as_text(value: Any) -> str:
    """A value as the text that chat completions have of it: a text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def tool_call(call_id: Any, name: Any, arguments: Any) -> dict[str, Any]:
    """A call of a tool as chat completions write it."""
    function = {"name": name, "arguments": "" if arguments is None else as_text(arguments)}
    return {**({} if call_id is None else {"id": call_id}), "type": "function", "function": function}


def is_part(value: Any) -> bool:
    """Whether an object is a part of a message, and not a message."""
    if not isinstance(value, dict) or "role" in value:
        return False
    if isinstance(kind := value.get("type", value.get("part_kind")), str):
        return kind in TYPES
    return (
        "text" in value
        or "toolName" in value
        or any(isinstance(value.get(name), dict) for name in (*_BEDROCK, *_GEMINI))
    )


def read_parts(parts: list[Any]) -> Parts:
    """The parts of one message, in their order. What is not known stays as it is."""
    read = Parts()
    for part in parts:
        if isinstance(part, str):
            read.content.append({"type": "text", "text": part})
        elif isinstance(part, dict):
            _read_part(part, read)
        else:
            read.content.append(part)
    return read


def _read_part(part: dict[str, Any], read: Parts) -> None:
    kind = part.get("type", part.get("part_kind"))
    kind = kind if isinstance(kind, str) else ""
    if kind in REASONING or part.get("thought") in (True, "true") or isinstance(part.get("reasoningContent"), dict):
        read.reasoning += [text for text in [_reasoning(part)] if text]
    elif kind in _RESULTS or any(name in part for name in ("toolResult", "functionResponse", "function_response")):
        read.tool_results.append(_tool_result(part))
    elif (
        kind in _CALLS
        or "toolName" in part
        or any(isinstance(part.get(name), dict) for name in ("toolUse", "functionCall", "function_call"))
    ):
        read.tool_calls.append(_tool_call(part))
    elif "cachePoint" not in part:
        read.content.append(_content(part, kind))


def _content(part: dict[str, Any], kind: str) -> Any:
    guarded = part.get("guardContent")
    if isinstance(guarded, dict) and isinstance(text := guarded.get("text"), dict):
        return {"type": "text", "text": text.get("text")}
    if kind == "text" and isinstance(part.get("text"), str):
        return part
    if kind in _TEXT or (not kind and "text" in part):
        return {"type": "text", "text": part.get("content", part.get("text"))}
    if kind == "uri" and part.get("modality") == "image":
        return {"type": "image_url", "image_url": {"url": part.get("uri")}}
    return part


def _reasoning(part: dict[str, Any]) -> str:
    bedrock = part.get("reasoningContent")
    if isinstance(bedrock, dict):
        text = bedrock.get("reasoningText")
        part = text if isinstance(text, dict) else bedrock
    found = next((part[name] for name in ("content", "text", "thinking", "reasoning") if part.get(name)), None)
    if found is None and isinstance(part.get("summary"), list):
        found = "".join(str(item.get("text", "")) for item in part["summary"] if isinstance(item, dict))
    return "" if found is None else as_text(found)


def _tool_call(part: dict[str, Any]) -> dict[str, Any]:
    names = (*_CALLED, "function", "tool_call")
    inner: dict[str, Any] = next((part[name] for name in names if isinstance(part.get(name), dict)), {})
    both = {**part, **inner}
    call_id = _first(both, "toolUseId", "toolCallId", "tool_call_id", "call_id", "id")
    name = _first(both, "name", "toolName", "tool_name")
    return tool_call(call_id, name, _first(both, "arguments", "input", "args"))


def _tool_result(part: dict[str, Any]) -> dict[str, Any]:
    names = ("toolResult", "functionResponse", "function_response")
    inner: dict[str, Any] = next((part[name] for name in names if isinstance(part.get(name), dict)), {})
    both = {**part, **inner}
    call_id = _first(both, "toolUseId", "tool_use_id", "toolCallId", "tool_call_id", "call_id", "id")
    result = _first(both, "response", "result", "output", "content")
    if isinstance(result, dict) and set(result) == {"type", "value"}:  # Vercel's {"type": "text", "value": ...}
        result = result["value"]
    if isinstance(result, list) and result and all(is_part(item) or _is_json(item) for item in result):
        result = "".join(_text_or_json(item) for item in result)
    content = None if result is None else as_text(result)
    return {"role": "tool", "content": content, **({} if call_id is None else {"tool_call_id": call_id})}


def _is_json(item: Any) -> bool:
    return isinstance(item, dict) and set(item) == {"json"}


def _text_or_json(item: dict[str, Any]) -> str:
    return as_text(_first(item, "text", "json", "content") or "")


def _first(given: dict[str, Any], *names: str) -> Any:
    return next((given[name] for name in names if given.get(name) is not None), None)

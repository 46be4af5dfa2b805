"""The parts of a message, as the instrumentations and providers write them, read to what a chat message holds.

Understood are the blocks of OpenAI (chat completions and Responses), Anthropic, Bedrock, Gemini (also as ADK logs it),
Vercel's AI SDK, Pydantic AI, and the parts of OpenTelemetry's GenAI conventions. Reasoning is never a part of the
content; an image, a sound or a file is a part without text, but for a sound's transcript.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

REASONING = ("reasoning", "thinking", "redacted_thinking", "thought", "summary_text", "reasoning_text")
_TEXT = ("text", "input_text", "output_text")
# Calls of a provider's own tools, which have no other name than their type.
_OF_PROVIDER = ("web_search_call", "file_search_call", "code_interpreter_call", "computer_call", "local_shell_call")
_CALLS = (
    *("tool_call", "tool_use", "tool-call", "function_call", "server_tool_use", "mcp_tool_use", "server_tool_call"),
    *("custom_tool_call", "mcp_call", "builtin-tool-call", *_OF_PROVIDER),
)
_RESULTS = (
    *("tool_call_response", "tool_result", "tool-result", "function_call_output", "tool-return", "retry-prompt"),
    *("server_tool_call_response", "custom_tool_call_output", "web_search_tool_result", "mcp_tool_result"),
    *("computer_call_output", "local_shell_call_output", "code_execution_tool_result", "builtin-tool-return"),
)
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
_RETURNED = ("toolResult", "functionResponse", "function_response")
# What stands beside the text of a part that names no type: Bedrock's, Gemini's.
_BESIDE_TEXT = {"text", "thought", "thoughtSignature", "thought_signature", "citations", "annotations"}
_SOUNDS = ("audio", "input_audio")
# What a part that is no text holds, by one of these names.
_PAYLOADS = {
    *("image_url", "image", "source", "data", "url", "uri", "input_audio", "audio", "file", "file_id", "file_data"),
    *("content", "refusal", "document", "video", "video_url", "mediaType", "mediaUrl", "bytes", "transcript"),
}
FAILED = "error"
"""The `status` of a message with the result of a tool that failed, as LangChain has it."""
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


def _kind(part: dict[str, Any]) -> Any:
    """The type of a part, under the name that OpenAI, or Pydantic AI's messages or events give it."""
    kind, own = part.get("type", part.get("part_kind")), part.get("kind")
    return own if kind is None and isinstance(own, str) and own in TYPES else kind


def is_part(value: Any) -> bool:
    """Whether an object is a part of a message, and not a message."""
    if not isinstance(value, dict) or "role" in value:
        return False
    if isinstance(kind := _kind(value), str):
        return kind in TYPES
    return (
        ("text" in value and value.keys() <= _BESIDE_TEXT)
        or "toolName" in value
        or any(isinstance(value.get(name), dict) for name in (*_BEDROCK, *_GEMINI))
    )


def are_parts(value: Any) -> bool:
    """Whether JSON out of a text is a list of parts: each has what its type holds, for a model may answer in JSON."""
    return isinstance(value, list) and bool(value) and all(is_part(part) and _is_filled(part) for part in value)


def _is_filled(part: dict[str, Any]) -> bool:
    kind = _kind(part)
    if kind in _TEXT:
        return isinstance(part.get("text", part.get("content")), str)
    if kind in _OTHER:
        return bool(_PAYLOADS & part.keys())
    return True


def text_of(content: Any) -> str | None:
    """What a message's content says: the texts of its parts, and the transcript of a sound; None where it has none."""
    if isinstance(content, str):
        return content or None
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        return None
    return "".join(text for part in content for text in _texts(part)) or None


def _texts(part: Any) -> Iterator[str]:
    if not isinstance(part, dict) or part.get("type") in REASONING or part.get("thought") in (True, "true"):
        return
    audio: dict[str, Any] = next((part[name] for name in _SOUNDS if isinstance(part.get(name), dict)), {})
    for text in (part.get("text"), part.get("transcript"), audio.get("transcript"), part.get("refusal")):
        if isinstance(text, str):
            yield text
            return


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
    kind = _kind(part)
    kind = kind if isinstance(kind, str) else ""
    if kind in REASONING or part.get("thought") in (True, "true") or isinstance(part.get("reasoningContent"), dict):
        read.reasoning += [text for text in [_reasoning(part)] if text]
    elif kind in _RESULTS or any(isinstance(part.get(name), dict) for name in _RETURNED):
        read.tool_results.append(_tool_result(part))
    elif kind in _CALLS or "toolName" in part or any(isinstance(part.get(name), dict) for name in _CALLED):
        read.tool_calls.append(_tool_call(part))
    elif "cachePoint" not in part:
        read.content.append(_content(part, kind))


def _content(part: dict[str, Any], kind: str) -> Any:
    guarded = part.get("guardContent")
    if isinstance(guarded, dict) and isinstance(text := guarded.get("text"), dict):
        return {"type": "text", "text": text.get("text")}
    if part.get("type") == "text" and isinstance(part.get("text"), str):
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
    if isinstance(found, list):  # Mistral's thinking is a list of texts
        found = "".join(str(item.get("text", "")) if isinstance(item, dict) else str(item) for item in found)
    return "" if found is None else as_text(found)


def _tool_call(part: dict[str, Any]) -> dict[str, Any]:
    names = (*_CALLED, "function", "tool_call", "server_tool_call")
    inner: dict[str, Any] = next((part[name] for name in names if isinstance(part.get(name), dict)), {})
    both = {**part, **inner}
    call_id = _first(both, "toolUseId", "toolCallId", "tool_call_id", "call_id", "id")
    kind = part.get("type")
    name = _first(both, "name", "toolName", "tool_name") or (kind if kind in _OF_PROVIDER else None)
    return tool_call(call_id, name, _first(both, "arguments", "input", "args", "action", "queries"))


def _tool_result(part: dict[str, Any]) -> dict[str, Any]:
    inner: dict[str, Any] = next((part[name] for name in _RETURNED if isinstance(part.get(name), dict)), {})
    both = {**part, **inner}
    call_id = _first(both, "toolUseId", "tool_use_id", "toolCallId", "tool_call_id", "call_id", "id")
    result = _first(both, "response", "result", "output", "content", "server_tool_call_response")
    if isinstance(result, dict) and set(result) == {"type", "value"}:  # Vercel's {"type": "text", "value": ...}
        result = result["value"]
    if isinstance(result, list) and result and all(is_part(item) or _is_json(item) for item in result):
        result = "".join(_text_or_json(item) for item in result)
    content = None if result is None else as_text(result)
    message = {"role": "tool", "content": content, **({} if call_id is None else {"tool_call_id": call_id})}
    return message | ({"status": FAILED} if _is_failed(both) else {})


def _is_failed(result: dict[str, Any]) -> bool:
    """Whether a result says that its tool failed: in Anthropic's, MCP's, Bedrock's, Vercel's or Pydantic AI's words."""
    output = result.get("output")
    kind = output.get("type") if isinstance(output, dict) else None
    return (
        any(result.get(name) in (True, "true") for name in ("is_error", "isError"))
        or result.get("status") == FAILED
        or kind in ("error-text", "error-json")
        or (_kind(result) == "retry-prompt" and bool(result.get("tool_name")))
    )


def _is_json(item: Any) -> bool:
    return isinstance(item, dict) and set(item) == {"json"}


def _text_or_json(item: dict[str, Any]) -> str:
    return as_text(_first(item, "text", "json", "content") or "")


def _first(given: dict[str, Any], *names: str) -> Any:
    return next((given[name] for name in names if given.get(name) is not None), None)

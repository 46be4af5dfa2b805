"""The text of an answer that was logged as the server-sent events in which it came."""

import json
from collections.abc import Iterator
from typing import Any


def streamed_text(stream: str | None) -> str | None:
    """What the events of a stream say, put together; None where they say nothing.

    Read are OpenAI's (chat completions, completions, Responses), Anthropic's and Gemini's.
    """
    if stream is None:
        return None
    return "".join(text for event in _events(stream) for text in _texts(event)) or None


def _events(stream: str) -> Iterator[dict[str, Any]]:
    for line in stream.splitlines():
        if line.startswith("data:"):
            try:
                event = json.loads(line.removeprefix("data:"))
            except (ValueError, RecursionError):
                continue
            if isinstance(event, dict):
                yield event


def _texts(event: dict[str, Any]) -> Iterator[str]:
    delta = event.get("delta")
    if event.get("type") == "response.output_text.delta":
        yield delta if isinstance(delta, str) else ""
    elif event.get("type") == "content_block_delta" and isinstance(delta, dict):
        yield str(delta.get("text") or "")
    for choice in _objects(event.get("choices")):
        inner = choice.get("delta")
        text = inner.get("content") if isinstance(inner, dict) else choice.get("text")
        yield text if isinstance(text, str) else ""
    for candidate in _objects(event.get("candidates")):
        content = candidate.get("content")
        for part in _objects(content.get("parts") if isinstance(content, dict) else None):
            yield str(part.get("text") or "") if not part.get("thought") else ""


def _objects(given: Any) -> Iterator[dict[str, Any]]:
    yield from (item for item in given if isinstance(item, dict)) if isinstance(given, list) else ()

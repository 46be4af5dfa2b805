"""Production calls as examples without `expected`. Their messages are hostile data, as logged."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flows.evaluate.examples.frozen_holdout import Example

Messages = Sequence[dict[str, Any]]


def messages_of(call: Mapping[str, Any]) -> Messages:
    """The call's `messages_json`; if that is not a list of objects, its `input_text` as a user message."""
    try:
        found = json.loads(call["messages_json"] or "[]")
    except (ValueError, RecursionError):
        found = []
    if isinstance(found, list) and found and all(isinstance(one, dict) for one in found):
        return found
    return input_as_messages(call)


def input_as_messages(call: Mapping[str, Any]) -> Messages:
    """The call's `input_text` as a user message; empty if there is no text."""
    return [{"role": "user", "content": call["input_text"]}] if call["input_text"] else []


def as_example(messages: Messages, call: Mapping[str, Any], route: str, version: str = "") -> Example:
    """The call as an example of its route. The id is empty if the call has no `call_id`."""
    row = {
        "example_id": call.get("call_id"),
        "input": call["input_text"],
        "messages": messages,
        "expected": None,
        "route": route,
        "tags": {},
    }
    return Example(call.get("call_id") or "", version, tuple(messages), row=row)

"""A call of production as an example, of which nothing is expected. What it was sent is as it was logged: hostile."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flows.evaluate.examples.frozen_holdout import Example

Messages = Sequence[dict[str, Any]]


def messages_of(call: Mapping[str, Any]) -> Messages:
    """What the call's `messages_json` holds; where that is no list of objects, its `input_text` as the user's."""
    try:
        found = json.loads(call["messages_json"] or "[]")
    except (ValueError, RecursionError):
        found = []
    if isinstance(found, list) and found and all(isinstance(one, dict) for one in found):
        return found
    return input_as_messages(call)


def input_as_messages(call: Mapping[str, Any]) -> Messages:
    """The call's `input_text` as a user's message; none where there is no text."""
    return [{"role": "user", "content": call["input_text"]}] if call["input_text"] else []


def as_example(messages: Messages, call: Mapping[str, Any], route: str, version: str = "") -> Example:
    """The call as an example of its route; without an id where the call has no `call_id`."""
    row = {
        "example_id": call.get("call_id"),
        "input": call["input_text"],
        "messages": messages,
        "expected": None,
        "route": route,
        "tags": {},
    }
    return Example(call.get("call_id") or "", version, tuple(messages), row=row)

"""A proposal as a line of the holdout, in the form that the lines there have."""

import json
from collections.abc import Sequence
from typing import Any

from flows.evaluate.propose.holdout_file import Row, messages_of_row

_INSTRUCTIONS = ("system", "developer")


def example_of(proposal: Row, corrected: Any, others: Sequence[Row], *, is_shared: bool) -> Row:
    """The example. The application's own instructions are left out where no other example has any.

    `corrected` is the expected answer of the person, None where it is the proposal's.
    """
    messages = json.loads(proposal["messages_json"])
    if not any(one.get("role") in _INSTRUCTIONS for row in others for one in messages_of_row(row)):
        messages = [one for one in messages if one.get("role") not in _INSTRUCTIONS] or messages
    is_plain = len(messages) == 1 and messages[0].get("role") == "user" and isinstance(messages[0].get("content"), str)
    answer = proposal["expected_text"] if corrected is None else corrected
    expected = as_expected(answer, others) if isinstance(answer, str) else answer
    names_route = is_shared or any(row.get("route") for row in others)
    return {
        "example_id": proposal["proposal_id"],
        **({"input": messages[0]["content"]} if is_plain else {"messages": messages}),
        **({} if expected is None else {"expected": expected}),
        **({"route": proposal["route"]} if names_route else {}),
        "tags": {"proposed": proposal["reason"]},
    }


def as_expected(text: str, others: Sequence[Row]) -> Any:
    """The text, or the JSON that it is where other examples expect JSON that is no text."""
    if all(isinstance(row.get("expected"), str | None) for row in others):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def lacks_expected(example: Row, others: Sequence[Row]) -> bool:
    """Whether the example has no expected answer although every other one has: no criterion could score it alike."""
    return example.get("expected") is None and bool(others) and all(row.get("expected") is not None for row in others)

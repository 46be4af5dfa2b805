"""What a call was sent, whatever the log has for it."""

import json

import pytest

from flows.evaluate.examples.production_call import as_example, messages_of

SYSTEM, USER = {"role": "system", "content": "s"}, {"role": "user", "content": "hi"}


@pytest.mark.parametrize(
    ("logged", "messages"),
    [
        (json.dumps([SYSTEM, USER]), [SYSTEM, USER]),
        (json.dumps([{"role": "assistant", "tool_calls": []}]), [{"role": "assistant", "tool_calls": []}]),
        *((text, [USER]) for text in (None, "", "[]", "{}", '"hi"', '["hi"]', "[", "[" * 100_000, "null")),
    ],
)
def test_messages_are_those_of_the_log_and_else_the_input(logged, messages):
    assert messages_of({"messages_json": logged, "input_text": "hi"}) == messages


def test_without_messages_and_input_there_are_none():
    assert messages_of({"messages_json": None, "input_text": None}) == []


def test_a_call_is_an_example_of_which_nothing_is_expected():
    example = as_example([USER], {"call_id": "c", "input_text": "hi"}, "r")
    assert (example.example_id, example.messages, example.expected) == ("c", (USER,), None)
    assert example.row == {
        "example_id": "c", "input": "hi", "messages": [USER], "expected": None, "route": "r", "tags": {},
    }  # fmt: skip
    assert as_example([USER], {"input_text": "hi"}, "r").row["example_id"] is None

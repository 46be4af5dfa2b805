"""What the page gets of a call: its messages and answer as parts, cut where they are long, without data of images."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from flows.review.page import queue_items
from flows.review.queue.item_texts import LONGEST, MOST_PARTS, item_json

CALL = {"call_id": "1", "started_at": datetime(2026, 3, 1, 9, tzinfo=UTC), "model_served": "m", "output_text": "fine"}


def item(messages: Any = None, **more: Any) -> dict[str, Any]:
    """The item of a call with these messages."""
    written = messages if messages is None or isinstance(messages, str) else json.dumps(messages)
    found: dict[str, Any] = json.loads(item_json({**CALL, "messages_json": written, **more}, context={}))
    return found


def part(kind: str, text: str, name: str | None = None, cut: int | None = None) -> dict[str, Any]:
    """A part as the page gets it."""
    return {"type": kind, "name": name, "text": text, "cut": cut}


def test_texts_json_tools_and_images_are_parts_of_their_kind() -> None:
    call = {"id": "t1", "type": "function", "function": {"name": "find", "arguments": '{"q": 1}'}}
    made = item(
        [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": [
                {"type": "text", "text": '{"a": 1}'},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "image_url", "image_url": {"url": "https://x.example/y.png"}},
                {"type": "strange", "value": 3},
            ]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "t1", "content": "found 2"},
        ]
    )  # fmt: skip
    assert [message["role"] for message in made["messages"]] == ["system", "user", "assistant", "tool"]
    assert [message["parts"] for message in made["messages"]] == [
        [part("text", "Be kind.")],
        [
            part("json", '{"a": 1}'),
            part("image", "image_url, not shown"),
            part("image", "image_url, not shown", "https://x.example/y.png"),
            part("other", '{"type": "strange", "value": 3}', "strange"),
        ],
        [part("tool_call", '{"q": 1}', "find")],
        [part("tool_result", "found 2", "t1")],
    ]
    assert made["answer"] == {"parts": [part("text", "fine")]}
    assert made["call"]["started_at"] == "2026-03-01T09:00:00+00:00"
    assert (made["model"], made["expected"], made["other_answer"], made["context"]) == ("m", None, None, [])


def test_an_answer_that_calls_a_tool_shows_the_call() -> None:
    call = {"type": "function", "function": {"name": "find", "arguments": "{}"}}
    said = json.dumps({"role": "assistant", "content": "fine", "tool_calls": [call]})
    assert item(output_json=said)["answer"]["parts"] == [part("text", "fine"), part("tool_call", "{}", "find")]
    assert item(output_text=None, output_json=said)["answer"]["parts"][1] == part("tool_call", "{}", "find")
    assert item(output_text='{"a": 1}', output_json='{"a": 1}')["answer"]["parts"] == [part("json", '{"a": 1}')]


def test_long_texts_are_cut_and_long_conversations_keep_their_end() -> None:
    made = item([{"role": "user", "content": "x" * (LONGEST + 5)}] * (MOST_PARTS + 3))
    assert made["messages"][0]["parts"] == [part("other", "3 earlier messages")]
    assert len(made["messages"]) == MOST_PARTS + 1
    assert made["messages"][-1]["parts"] == [part("text", "x" * LONGEST, cut=LONGEST + 5)]


def test_whatever_was_logged_as_messages_makes_an_item() -> None:
    for broken in (None, "", "[", "[1, 2]", "{}", "[" * 100_000, json.dumps([{"content": 5}])):
        made = item(broken, input_text="asked")
        assert made["messages"][0]["parts"][0]["text"] in ("asked", "5")
    assert item(None)["messages"] == []
    assert "\ud800" not in item([{"role": "user", "content": "\ud800"}])["messages"][0]["parts"][0]["text"]


def test_json_that_can_be_read_but_is_too_deep_to_be_laid_out_is_shown_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deep: list[Any] = [1]
    for _ in range(3_000):  # newer Pythons read as much and more
        deep = [deep]
    monkeypatch.setattr(queue_items, "_parsed", lambda _: deep)
    assert queue_items._laid_out("[[1]]", "json") == "[[1]]"

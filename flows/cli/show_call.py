"""`genchi show`: one call as the lake has it, for a person or as JSON.

What users and models wrote is printed as text: no control character of it reaches the terminal.
"""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from flows.config import Config
from flows.errors import RunError
from flows.lake import CALL, Lake, rows_with

Row = dict[str, Any]

_ABOUT = (
    "route", "started_at", "model_requested", "model_served", "prompt_version", "release", "environment", "user_key",
    "session_id", "status", "error_type", "error_message", "finish_reason", "latency_ms", "input_tokens",
    "output_tokens", "cost_usd", "source", "tags",
)  # fmt: skip


def find(config: Config, call_id: str, day: date | None = None) -> Row:
    """The call's row of `interactions`, with its day, and its scores under `scores`. The newest day that has it counts.

    Raises RunError where `day`, or the lake, does not have the call.
    """
    lake = config.open_lake()
    for searched in [day] if day else reversed(lake.days("interactions")):
        for row in rows_with(lake, "interactions", searched, key="call_id", values=[call_id]).to_pylist():
            return {"day": searched, **row, "scores": _scores(lake, searched, call_id)}
    place = f"on {day}" if day else "in the lake"
    raise RunError(f"no call {call_id!r} {place}; {_why_not(config, lake, call_id)}")


def _why_not(config: Config, lake: Lake, call_id: str) -> str:
    if config.tombstones(lake).knows(CALL, call_id):
        return "`genchi forget` removed it"
    kept = config.retention.get("interactions")
    gone = f"; calls older than {kept} days are removed (`retention`)" if kept is not None else ""
    return f"the page and `genchi breaches` name calls by their call_id{gone}"


def _scores(lake: Lake, day: date, call_id: str) -> list[Row]:
    """The criteria's verdicts on the call, by name."""
    found = [
        row
        for row in rows_with(lake, "scores", day, key="subject_id", values=[call_id]).to_pylist()
        if row["subject"] == "interaction"
    ]
    names = ("criterion", "passed", "score", "reason")
    return sorted(({name: row[name] for name in names} for row in found), key=lambda row: str(row["criterion"]))


def as_json(call: Row) -> str:
    """The call as one JSON object; messages, output and tags as JSON within it, times in ISO 8601."""
    nested = {name: _parsed(call[name]) for name in ("messages_json", "output_json", "params_json", "tags")}
    return json.dumps({**call, **nested}, ensure_ascii=True, indent=2, default=str)


def lines(call: Row) -> Iterator[str]:
    """The call as lines: what is known about it, its messages, its output, and the criteria's verdicts."""
    yield f"call {call['call_id']}, {call['day']}"
    for name in _ABOUT:
        if call[name] is not None:
            yield f"  {name}: {call[name]}"
    messages = _parsed(call["messages_json"])
    for message in messages if isinstance(messages, list) else []:
        yield from _part(str(message.get("role", "message")), _content(message))
    if not messages:
        yield from _part("input", call["input_text"])
    yield from _part("output", call["output_text"])
    for score in call["scores"]:
        word = {True: "passed", False: "failed", None: "unscored"}[score["passed"]]
        yield f"criterion {score['criterion']}: {word}" + (f" ({score['reason']})" if score["reason"] else "")


def _part(title: str, text: str | None) -> Iterator[str]:
    yield ""
    yield f"{title}:"
    yield from (f"  {line}" for line in (text or "(none)").splitlines())


def _content(message: Row) -> str:
    """A message's text; what is no text, such as tool calls and images, as JSON."""
    content = message.get("content")
    rest = {name: value for name, value in message.items() if name not in ("role", "content") and value is not None}
    parts = (
        [] if content is None else [content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)]
    )
    return "\n".join([*parts, *([json.dumps(rest, ensure_ascii=False)] if rest else [])])


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text

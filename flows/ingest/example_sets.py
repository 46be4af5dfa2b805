"""The dev set and the holdouts, frozen: as they stood that night, named by the hash of their content."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from flows.config import Config, limit_on
from flows.errors import ConfigError
from flows.lake import each_day, from_rows
from flows.outgoing import plain

_KEYS = {"example_id", "messages", "input", "expected", "route", "tags"}


def freeze(config: Config, day: date) -> pa.Table:
    """Land the dev set and every route's holdout under `day`, and give the rows.

    Raises ConfigError, with file and line, for an example that cannot be read: a test set that is silently
    smaller than its file would make every rate wrong.
    """
    return freeze_days(config, day, day)


def freeze_days(config: Config, first: date, last: date) -> pa.Table:
    """The same for every day from `first` to `last`, both included; the files are read once."""
    table = current_examples(config)
    for day in each_day(first, last):
        config.open_lake().write("examples", day, table)
    return table


def current_examples(config: Config) -> pa.Table:
    """The rows that `freeze` would land now. Raises ConfigError as it does."""
    return from_rows(_rows(config), "examples")


def describe_example_sets(config: Config) -> list[str]:
    """A line for each configured test set: its file, its size and the version under which it is evaluated."""
    sets = [
        ("dev set", config.dev_set),
        *((f"holdout of {name}", route.holdout) for name, route in config.routes.items()),
    ]
    lines = []
    for name, path in sets:
        if path is not None:
            examples = _examples(config, path)
            lines.append(f"{name}: {len(examples):,} examples, version {version_of(examples)}, {path}")
    return lines or [f"{config.path}: no test set; name one with `dev_set` or a route's `holdout`"]


def version_of_route(config: Config, route: str, rows: Iterable[dict[str, Any]]) -> str:
    """The version under which a night freezes these examples as the route's holdout. Raises ConfigError, as `read`."""
    path = config.routes[route].holdout
    assert path is not None
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return version_of(list(_read(path, lines.encode(errors="surrogatepass"))))


def _rows(config: Config) -> Iterator[dict[str, Any]]:
    if config.dev_set is not None:
        yield from _set("dev", _examples(config, config.dev_set), None)
    for name, route in config.routes.items():
        if route.holdout is not None:
            examples = _examples(config, route.holdout)
            is_shared = len(_routes_of_holdout(config, route.holdout)) > 1
            mine = [example for example in examples if not is_shared or example["route"] == name]
            yield from _set("holdout", mine, name)


def _examples(config: Config, path: Path) -> list[dict[str, Any]]:
    examples = list(read(path))
    _require_routes(config, path, examples)
    return examples


def _require_routes(config: Config, path: Path, examples: list[dict[str, Any]]) -> None:
    """Raise ConfigError for an example without `route` in a file that is for several routes.

    The whole dev set would be the reference of each of them, and a holdout that several name would be put to all: a
    route that is compared with other routes' inputs differs from them every night.
    """
    lacking = next((n for n, example in enumerate(examples, 1) if not example.get("route")), None)
    if lacking is None:
        return
    routes = _routes_of_logs(config) if path == config.dev_set else _routes_of_holdout(config, path)
    if len(routes) > 1:
        where = f"{path}, example {lacking} ({examples[lacking - 1]['example_id']!r})"
        shown = ", ".join(plain(route) for route in sorted(routes)[:5])
        raise ConfigError(
            f'{where}: has no `route`, and there are several ({shown}); add "route": "..." to each example, so that'
            " each route is compared with its own"
        )


def _routes_of_holdout(config: Config, path: Path) -> set[str]:
    """The configured routes that a file is the holdout of."""
    return {name for name, route in config.routes.items() if route.holdout == path}


def _routes_of_logs(config: Config) -> set[str]:
    """The routes of the application: those of the configuration, and those of the newest day in the lake.

    Of the latter only those with enough calls to be compared with a reference.
    """
    lake = config.open_lake()
    days = lake.days("interactions")
    calls = Counter(lake.read("interactions", days[-1], columns=["route"]).column("route").to_pylist() if days else ())
    logged = ((route or "default", count) for route, count in calls.items())
    return {*config.routes, *(route for route, count in logged if count >= limit_on(config, route, "min_calls"))}


def _set(kind: str, examples: list[dict[str, Any]], route: str | None) -> list[dict[str, Any]]:
    version = version_of(examples)
    return [
        {
            "set": kind,
            "route": route or example.get("route"),
            "example_id": example["example_id"],
            "version": version,
            "messages_json": json.dumps(example["messages"], ensure_ascii=False),
            "input_text": _input_text(example["messages"]),
            "expected_json": _json(example.get("expected")),
            "expected_text": _text(example.get("expected")),
            "tags": _json(example.get("tags")),
        }
        for example in examples
    ]


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The examples of a JSONL file with `messages` filled in from `input`. Raises ConfigError, with the line."""
    return _read(path, path.read_bytes())


def _read(path: Path, content: bytes) -> Iterator[dict[str, Any]]:
    seen: dict[str, int] = {}
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            example = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"{path}, line {number}: not valid JSON: {error}") from None
        problem = _problem(example) or _unwritable(example)
        if problem:
            raise ConfigError(f"{path}, line {number}: {problem}")
        example["example_id"] = str(example["example_id"])
        if example["example_id"] in seen:
            first = seen[example["example_id"]]
            raise ConfigError(
                f"{path}, line {number}: duplicate example_id {example['example_id']!r}, first used in line {first}"
            )
        seen[example["example_id"]] = number
        example.setdefault("messages", [{"role": "user", "content": example.get("input")}])
        yield example


def version_of(examples: list[dict[str, Any]]) -> str:
    """Twelve hex digits of the SHA-256 of the examples' canonical JSON; the order of the lines does not count."""
    lines = sorted(json.dumps(example, sort_keys=True, ensure_ascii=False) for example in examples)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def _problem(example: Any) -> str | None:
    if not isinstance(example, dict) or example.get("example_id") in (None, ""):
        return "expected an object with `example_id` and `input` or `messages`"
    unknown = sorted(set(example) - _KEYS)
    if unknown:
        return f"unknown key `{unknown[0]}`; an example has {', '.join(sorted(_KEYS))}"
    if ("messages" in example) == ("input" in example):
        return "needs exactly one of `messages` and `input`"
    if "input" in example and not isinstance(example["input"], str):
        return "`input` is not a string"
    if "messages" in example and not _are_messages(example["messages"]):
        return "`messages` is not a list of objects with `role` and `content` (or `tool_calls`)"
    return _odd_kind(example)


def _odd_kind(example: dict[str, Any]) -> str | None:
    if not isinstance(example.get("route") or "", str):
        return "`route` is not a string"
    return None if isinstance(example.get("tags") or {}, dict) else "`tags` is not an object"


def _unwritable(example: dict[str, Any]) -> str | None:
    """Half of a pair of surrogates is JSON, but no text that could be stored or sent."""
    try:
        json.dumps(example, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "contains half a character (a lone surrogate)"
    return None


def _are_messages(messages: Any) -> bool:
    return (
        isinstance(messages, list)
        and bool(messages)
        and all(isinstance(message, dict) and _is_turn(message) for message in messages)
    )


def _is_turn(message: dict[str, Any]) -> bool:
    """A turn has a role and content; an assistant's that calls tools needs no content."""
    return "role" in message and (
        "content" in message or bool(message.get("tool_calls") or message.get("function_call"))
    )


def _input_text(messages: list[dict[str, Any]]) -> str:
    """The text of the last user message (of the last message where no user speaks)."""
    messages_of_user = [message for message in messages if message["role"] == "user"] or messages
    content = messages_of_user[-1].get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return str(content or "")


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else _json(value)

"""A model's configured prompt: a system message or a list of messages, whose `{{placeholders}}` an example fills."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.config import ModelVariant, read_yaml
from flows.errors import ConfigError
from flows.evaluate.criteria import hash_of
from flows.evaluate.examples import Example

FOLDER = "prompts"
_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_LISTS = (".yaml", ".yml", ".json")
_ENDINGS = (".md", ".txt", *_LISTS)
_ROLES = ("system", "developer", "user", "assistant")


@dataclass(frozen=True)
class Prompt:
    """Messages with `{{placeholders}}`. `version` is the hash of the file's text."""

    path: Path
    messages: tuple[Mapping[str, str], ...]
    version: str

    def instructions(self, example: Example) -> list[dict[str, Any]]:
        """The prompt's messages before the first that contains `{{input}}`, filled in."""
        return [self._filled(message, example) for message in self.messages[: self._place_of_question]]

    def question(self, example: Example) -> list[dict[str, Any]]:
        """The prompt's messages from `{{input}}` on, filled in; without any, the example's non-system messages."""
        return [
            self._filled(message, example) for message in self.messages[self._place_of_question :]
        ] or without_system_messages(example)

    @property
    def _place_of_question(self) -> int:
        asks = ["input" in _PLACEHOLDER.findall(message["content"]) for message in self.messages]
        return asks.index(True) if True in asks else len(asks)

    def _filled(self, message: Mapping[str, str], example: Example) -> dict[str, Any]:
        """Fill the placeholders from the example's tags and row. Filled-in text is not searched for placeholders again.
        Images, sounds and files of the example's input follow the text that `{{input}}` is part of.

        Raises ConfigError for a placeholder that the example does not have.
        """

        def value(match: re.Match[str]) -> str:
            known = {**example.row, **example.tags}
            if match[1] not in known:
                raise ConfigError(
                    f"{self.path}: example {example.example_id!r} has no tag or column for {{{{{match[1]}}}}};"
                    " add it to the example, or remove the placeholder"
                )
            return str(known[match[1]])

        text = _PLACEHOLDER.sub(value, message["content"])
        parts = _parts_without_text(example) if "input" in _PLACEHOLDER.findall(message["content"]) else []
        content = [*([{"type": "text", "text": text}] if text.strip() else []), *parts] if parts else text
        return {"role": message["role"], "content": content}


def without_system_messages(example: Example) -> list[dict[str, Any]]:
    """The example's messages without its system message."""
    return [message for message in example.messages if message.get("role") != "system"]


def _parts_without_text(example: Example) -> list[dict[str, Any]]:
    """The images, sounds and files of the example's last user message."""
    of_user = [message for message in example.messages if message.get("role") == "user"]
    content = of_user[-1].get("content") if of_user else None
    parts = content if isinstance(content, list) else []
    return [part for part in parts if isinstance(part, dict) and part.get("type") not in ("text", "input_text")]


def load(model: ModelVariant, workspace: Path, route: str) -> Prompt | None:
    """The configured prompt of `model` on `route`; None if it uses the examples' messages. Raises ConfigError."""
    if model.prompt_version is not None:
        return _read(model, _find(model, workspace, route, model.prompt_version))
    return None if model.prompt is None else _read(model, workspace / model.prompt)


def _find(model: ModelVariant, workspace: Path, route: str, version: str) -> Path:
    folder = workspace / FOLDER / route
    found = [path for ending in ("", *_ENDINGS) if (path := folder / f"{version}{ending}").is_file()]
    if len(found) == 1:
        return found[0]
    where = f"models: {model.name}: prompt {version!r}"
    if found:
        raise ConfigError(f"{where}: is ambiguous: {found[0]} and {found[1].name}; keep one of them")
    there = ", ".join(sorted(path.name for path in folder.glob("*"))) or "nothing"
    raise ConfigError(f"{where}: {folder / version}.md, .yaml or .json not found; the folder contains {there}")


def _read(model: ModelVariant, path: Path) -> Prompt:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"models: {model.name}: the prompt cannot be read: {error}") from None
    messages = read_yaml(path) if path.suffix in _LISTS else [{"role": "system", "content": text}]
    if problem := _problem(messages):
        raise ConfigError(f"{path}: {problem}")
    return Prompt(path, tuple(messages), hash_of(text))


def _problem(messages: Any) -> str | None:
    if not isinstance(messages, list) or not messages:
        return "expected a list of messages such as `- {role: user, content: '{{input}}'}`"
    for number, message in enumerate(messages, 1):
        if not isinstance(message, dict) or set(message) != {"role", "content"}:
            return f"message {number}: expected `role` and `content`"
        if message["role"] not in _ROLES:
            return f"message {number}: `role` must be one of {', '.join(_ROLES)}, found {message['role']!r}"
        if not isinstance(message["content"], str):
            return f"message {number}: `content` must be text"
    return None

"""What a model is sent for an example: the example's messages, under the model's own prompt where it has one."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.config import Model
from flows.errors import ConfigError
from flows.evaluate.holdout import Example
from flows.evaluate.schemas import hash_of

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")


@dataclass(frozen=True)
class Prompt:
    """A system message with `{{placeholders}}`, named by the hash of its text."""

    path: Path
    text: str
    version: str

    def render(self, example: Example) -> str:
        """Fill the placeholders from the example's tags and row, once: what is filled in is not read again.

        Raises ConfigError for a placeholder that the example does not have.
        """

        def value(match: re.Match[str]) -> str:
            known = {**example.row, **example.tags}
            if match[1] not in known:
                raise ConfigError(f"{self.path}: example {example.example_id!r} has no {{{{{match[1]}}}}}")
            return str(known[match[1]])

        return _PLACEHOLDER.sub(value, self.text)


def load(model: Model, workspace: Path) -> Prompt | None:
    """The model's own prompt, from a file of the workspace; None where it has none. Raises ConfigError."""
    if model.prompt is None:
        return None
    path = workspace / model.prompt
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"models: {model.name}: the prompt cannot be read: {error}") from None
    return Prompt(path, text, hash_of(text))


def messages_for(example: Example, prompt: Prompt | None) -> list[dict[str, Any]]:
    """The messages to send. A prompt takes the place of the example's own system message."""
    if prompt is None:
        return list(example.messages)
    spoken = [message for message in example.messages if message.get("role") != "system"]
    return [{"role": "system", "content": prompt.render(example)}, *spoken]

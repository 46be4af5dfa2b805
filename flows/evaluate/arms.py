"""What each entrant is sent on one route: prompt, worked examples, question and parameters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flows.config import Config
from flows.entrants import Entrant
from flows.evaluate import prompts
from flows.evaluate.holdout import Example
from flows.evaluate.prompts import Prompt


@dataclass(frozen=True)
class Arm:
    """One entrant on one route, ready to be asked."""

    model: Entrant
    prompt: Prompt | None = None

    @property
    def prompt_version(self) -> str | None:
        """The hash of its prompt; None for the examples' own."""
        return self.prompt.version if self.prompt else None

    @property
    def params(self) -> dict[str, Any]:
        """What is sent beside the messages."""
        return self.model.params

    def messages_for(self, example: Example) -> list[dict[str, Any]]:
        """The messages to send. A prompt takes the place of the example's own system message."""
        if self.prompt is None:
            return list(example.messages)
        return [*self.prompt.instructions(example), *self.prompt.question(example)]


def of_route(config: Config, route: str) -> Sequence[Arm]:
    """The arms of a route, the pinned model's first. Raises ConfigError for a prompt that is missing or wrong."""
    return [Arm(model, prompts.load(model, config.workspace, route)) for model in config.models_on(route)]

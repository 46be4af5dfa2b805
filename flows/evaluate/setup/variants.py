"""What each entrant is sent on one route: prompt, worked examples, question and parameters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flows.config import Config, ModelVariant
from flows.errors import ConfigError
from flows.evaluate.examples import Example
from flows.evaluate.setup import prompts
from flows.evaluate.setup.few_shot import FewShotExamples
from flows.evaluate.setup.prompts import Prompt
from flows.evaluate.setup.tfidf_classifier import Labelled, TfidfClassifier


@dataclass(frozen=True)
class Variant:
    """One entrant on one route, ready to be asked. `lessons` are what a baseline has learnt from."""

    model: ModelVariant
    prompt: Prompt | None = None
    shots: FewShotExamples | None = None
    classifier: TfidfClassifier | None = None

    @property
    def prompt_version(self) -> str | None:
        """The hash of its prompt; None for the examples' own."""
        return self.prompt.version if self.prompt else None

    def params(self, route: str) -> dict[str, Any]:
        """What is sent beside the messages."""
        if self.classifier is not None:
            return {"route": route, "lessons": self.classifier.version}
        return self.model.params

    def messages_for(self, example: Example) -> list[dict[str, Any]]:
        """The messages to send: a prompt, in place of the example's own system message; examples; the question."""
        if self.classifier is not None:
            return [{"role": "user", "content": example.question}]
        if self.prompt is not None:
            return [*self.prompt.instructions(example), *self._turns(example), *self._question(example)]
        if self.shots is not None:
            system_messages = [message for message in example.messages if message.get("role") == "system"]
            return [*system_messages, *self._turns(example), *self._question(example)]
        return list(example.messages)

    def _turns(self, example: Example) -> list[dict[str, Any]]:
        """The worked examples, each as it would be asked, with the answer that is expected."""
        shown = self.shots.nearest(example.question) if self.shots else []
        return [
            turn
            for one in shown
            for turn in (*self._question(one), {"role": "assistant", "content": one.expected_text})
        ]

    def _question(self, example: Example) -> list[dict[str, Any]]:
        return self.prompt.question(example) if self.prompt else prompts.without_system_messages(example)


def variants_of_route(config: Config, route: str) -> Sequence[Variant]:
    """The arms of a route, the pinned model's first, as far as files say. Raises ConfigError for a wrong prompt."""
    return [Variant(model, prompts.load(model, config.workspace, route)) for model in config.models_on(route)]


def need_labels(found: Sequence[Variant]) -> bool:
    """Whether one of the variants needs labelled examples: to show some, or to learn from them."""
    return any(arm.model.shots or arm.model.is_baseline for arm in found)


def with_training_data(
    variants: Sequence[Variant], route: str, examples: Sequence[Example], labelled: Sequence[Example]
) -> Sequence[Variant]:
    """The arms with the worked examples and lessons that they need, from the dev set's `labelled` examples.

    Raises ConfigError where there are too few, or where a baseline cannot learn from the route's `examples`.
    """
    return [_with_training_data(variant, route, examples, labelled) for variant in variants]


def _with_training_data(
    variant: Variant, route: str, examples: Sequence[Example], labelled: Sequence[Example]
) -> Variant:
    where = f"models: {variant.model.name}: route {route}"
    if variant.model.is_baseline:
        classifier = TfidfClassifier(_labelled(examples), _labelled(labelled))
        if classifier.problem:
            raise ConfigError(f"{where}: {classifier.problem}; let it take part on other `routes`")
        return Variant(variant.model, classifier=classifier)
    if not variant.model.shots:
        return variant
    if len(labelled) < variant.model.shots:
        raise ConfigError(
            f"{where}: the dev set has {len(labelled)} examples with `expected`, `few_shot` wants {variant.model.shots}"
        )
    return Variant(variant.model, variant.prompt, FewShotExamples(labelled, variant.model.shots))


def _labelled(examples: Sequence[Example]) -> Labelled:
    pairs = [(example.question, label) for example in examples if (label := example.expected_text) is not None]
    return Labelled([text for text, _ in pairs], [label for _, label in pairs])

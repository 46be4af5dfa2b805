"""What each model variant is sent on one route: prompt, few-shot examples, input and parameters."""

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
    """One model variant on one route, ready to be queried. `classifier` is set for a baseline only."""

    model: ModelVariant
    prompt: Prompt | None = None
    shots: FewShotExamples | None = None
    classifier: TfidfClassifier | None = None

    @property
    def prompt_version(self) -> str | None:
        """The hash of its prompt; None if it uses the examples' messages."""
        return self.prompt.version if self.prompt else None

    def params(self, route: str) -> dict[str, Any]:
        """The request parameters. The key `lessons` is part of stored request hashes, so its name stays."""
        if self.classifier is not None:
            return {"route": route, "lessons": self.classifier.version}
        return self.model.params

    def messages_for(self, example: Example) -> list[dict[str, Any]]:
        """The messages to send: prompt (instead of the example's system message), few-shot examples, input."""
        if self.classifier is not None:
            return [{"role": "user", "content": example.question}]
        if self.prompt is not None:
            return [*self.prompt.instructions(example), *self._turns(example), *self._question(example)]
        if self.shots is not None:
            system_messages = [message for message in example.messages if message.get("role") == "system"]
            return [*system_messages, *self._turns(example), *self._question(example)]
        return list(example.messages)

    def _turns(self, example: Example) -> list[dict[str, Any]]:
        """The few-shot examples, each as a request followed by its expected answer."""
        shown = self.shots.nearest(example.question) if self.shots else []
        return [
            turn
            for one in shown
            for turn in (*self._question(one), {"role": "assistant", "content": one.expected_text})
        ]

    def _question(self, example: Example) -> list[dict[str, Any]]:
        return self.prompt.question(example) if self.prompt else prompts.without_system_messages(example)


def variants_of_route(config: Config, route: str) -> Sequence[Variant]:
    """The variants of a route, the pinned model's first, untrained. Raises ConfigError for a wrong prompt."""
    return [Variant(model, prompts.load(model, config.workspace, route)) for model in config.models_on(route)]


def need_labels(found: Sequence[Variant]) -> bool:
    """Whether one of the variants needs labelled examples: to show some, or to learn from them."""
    return any(arm.model.shots or arm.model.is_baseline for arm in found)


def with_training_data(
    variants: Sequence[Variant], route: str, examples: Sequence[Example], labelled: Sequence[Example]
) -> Sequence[Variant]:
    """The variants with their few-shot examples (from the dev set's `labelled`) and trained classifiers.

    Raises ConfigError if there are too few labelled examples, or if a baseline cannot be trained on `examples`.
    """
    return [_with_training_data(variant, route, examples, labelled) for variant in variants]


def _with_training_data(
    variant: Variant, route: str, examples: Sequence[Example], labelled: Sequence[Example]
) -> Variant:
    where = f"models: {variant.model.name}: route {route}"
    if variant.model.is_baseline:
        classifier = TfidfClassifier(_labelled(examples), _labelled(labelled))
        if classifier.problem:
            raise ConfigError(f"{where}: {classifier.problem}; restrict the model to other `routes`")
        return Variant(variant.model, classifier=classifier)
    if not variant.model.shots:
        return variant
    if len(labelled) < variant.model.shots:
        raise ConfigError(
            f"{where}: `few_shot` needs {variant.model.shots} examples with `expected`, the dev set has"
            f" {len(labelled)}; add examples, or lower `few_shot`"
        )
    return Variant(variant.model, variant.prompt, FewShotExamples(labelled, variant.model.shots))


def _labelled(examples: Sequence[Example]) -> Labelled:
    pairs = [(example.question, label) for example in examples if (label := example.expected_text) is not None]
    return Labelled([text for text, _ in pairs], [label for _, label in pairs])

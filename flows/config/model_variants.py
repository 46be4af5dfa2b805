"""The variants of an evaluation: each combination of a model, a prompt and a number of examples, with its own name.

A model with several prompts or numbers of examples is as many variants. The pinned model always takes part as
it is in production; its further variants are candidates.
"""

from collections.abc import Iterator
from itertools import product
from typing import Literal

from flows.config.model_sections import Model, Models

AS_IS = "as-is"
BASELINE = "baseline/"
Arm = Literal["pinned", "candidate"]


class ModelVariant(Model):
    """A model with one prompt and one number of examples. `base` is the model's own name in the configuration.

    `prompt_version` None is the examples' own prompt, or the file that `prompt` names. `arm` is `pinned` for what is in
    production, and `candidate` for all else.
    """

    base: str
    prompt_version: str | None = None
    shots: int = 0
    arm: Arm = "candidate"

    @property
    def is_baseline(self) -> bool:
        """Whether it is a classifier trained on the labelled examples, and not an LLM."""
        return self.model.startswith(BASELINE)


def model_variants(models: Models) -> tuple[ModelVariant, ...]:
    """All that take part, the pinned model as it is in production first."""
    pinned = _variant(models.pinned, None, 0)
    further = [pair for pair in pairs(models.pinned) if pair.name != pinned.name]
    others = (*further, *(pair for candidate in models.candidates for pair in pairs(candidate)))
    return _in_arm(pinned, "pinned"), *(_in_arm(pair, "candidate") for pair in others)


def _in_arm(variant: ModelVariant, arm: Arm) -> ModelVariant:
    return variant.model_copy(update={"arm": arm})


def pairs(model: Model) -> Iterator[ModelVariant]:
    """One model with each of its prompts and numbers of examples. A variant stays as it is."""
    if isinstance(model, ModelVariant):
        yield model
        return
    for version, shots in product(model.prompts or (AS_IS,), model.few_shot or (0,)):
        yield _variant(model, None if version == AS_IS else version, shots)


def _variant(model: Model, version: str | None, shots: int) -> ModelVariant:
    if isinstance(model, ModelVariant):
        return model
    name = model.name + (f" @ {version}" if version else "") + (f" few-shot {shots}" if shots else "")
    written = {key: value for key, value in model if key not in ("name", "prompts", "few_shot")}
    return ModelVariant(**written, name=name, base=model.name, prompt_version=version, shots=shots)

"""The sections of genchi.yaml about models: those that answer, judge and embed."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, JsonValue, field_validator, model_validator

from flows.config.paths import WorkspaceFunction
from flows.config.sections import Section, listed
from flows.config.variables import unset_variables


def _sendable(params: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(params)
    except (TypeError, ValueError) as error:
        raise ValueError(f"cannot be sent to a model: {error}; write dates in quotes") from None
    return params


class Price(Section):
    """USD per million tokens."""

    input: float = Field(ge=0)
    """USD per million input tokens."""
    output: float = Field(ge=0)
    """USD per million output tokens."""


class Model(Section):
    """One model as litellm takes it. `name` is what lake and marts carry.

    `prompt` is a file that takes the place of the examples' own prompt. `prompts` are versions to try beside each
    other, files in `prompts/<route>/`; `few_shot` are numbers of worked examples to show before the question.
    `routes` are those on which a candidate takes part; none named is all of them. With `batch`, holdouts go through
    OpenAI's batch API: half the price, and up to a day's wait.
    """

    model: str
    """Model as litellm names it, or `baseline/tfidf`."""
    name: str = ""
    """Unique name in lake and marts. Default: `model`."""
    api_base: str | None = None
    """Base URL of the endpoint. Default: that of the provider."""
    api_key: str | None = Field(default=None, repr=False)
    """API key. Default: litellm's environment variable for the provider."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Parameters of each request, such as `{temperature: 0}`."""
    prompt: str | None = None
    """Prompt file that replaces the examples' own prompt."""
    prompts: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_][\w.-]*$")], ...] = ()
    """Prompt versions to try: files `prompts/<route>/<version>.md`, or `as-is` for the examples' own prompt."""
    few_shot: Annotated[tuple[Annotated[int, Field(ge=0, le=50)], ...], BeforeValidator(listed)] = ()
    """Numbers of worked examples to try (0 to 50), taken from the dev set."""
    routes: tuple[str, ...] = ()
    """Routes on which a candidate takes part. Default: all."""
    price: Price | None = None
    """Price, for models that litellm's price table lacks."""
    batch: bool = False
    """Use OpenAI's batch API for the holdouts: half the price, up to a day's wait."""

    @field_validator("params")
    @classmethod
    def _can_be_sent(cls, params: dict[str, Any]) -> dict[str, Any]:
        return _sendable(params)

    @model_validator(mode="after")
    def _has_a_batch_api(self) -> "Model":
        if self.batch and not self.model.startswith("openai/") and not unset_variables(self.model):
            raise ValueError(f"`batch` takes models called openai/...; {self.model} cannot be used in a batch")
        return self

    def model_post_init(self, _: Any) -> None:
        if not self.name:
            object.__setattr__(self, "name", self.model)


class Embedding(Section):
    """What turns texts into vectors: `wordllama` (in the package), `model2vec/<path>`, a litellm embedding model, or a
    function of the workspace (`python`).

    Of a route's day and side at most `max_texts_per_day` texts are embedded, by a sample that is the same every time.
    """

    model: str = "wordllama"
    """`wordllama`, `model2vec/<folder>`, or a litellm embedding model."""
    api_base: str | None = None
    """Base URL of the endpoint, for a litellm model."""
    api_key: str | None = Field(default=None, repr=False)
    """API key, for a litellm model."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Parameters of each embedding request."""
    python: WorkspaceFunction | None = None
    """A function instead of `model`, such as `my_embedder.py:embed`: a list of texts to a list of vectors."""
    args: dict[str, JsonValue] = Field(default_factory=dict, repr=False)
    """Further arguments of the function, by name."""
    max_texts_per_day: int = Field(default=2000, ge=1, le=999_999)
    """Calls per route and day whose texts are embedded; a deterministic sample."""

    @field_validator("params")
    @classmethod
    def _can_be_sent(cls, params: dict[str, Any]) -> dict[str, Any]:
        return _sendable(params)

    @property
    def called(self) -> str:
        """What the name of its vectors begins with."""
        return str(self.python or self.model)

    @model_validator(mode="after")
    def _is_one_model(self) -> "Embedding":
        others = sorted(self.model_fields_set & {"model", "api_base", "api_key", "params"})
        if self.python and others:
            raise ValueError(f"`python` takes the place of a model; remove `{others[0]}`")
        if self.args and not self.python:
            raise ValueError("`args` are those of a function; name it with `python`")
        return self


class Canary(Section):
    """How changes of the pinned model are found: so many prompts of the holdouts are sent a night, `answers` times.

    With `reuse`, answers of earlier nights stand for the holdout where the canary shows the pinned model unchanged.
    No prompts, no canary: then the whole holdout is sent to the pinned model each night.
    """

    prompts: int | None = Field(default=None, ge=0)
    """Holdout prompts of all routes that the canary sends each night; 0 disables it. Default: by `risk`."""
    answers: int = Field(default=3, ge=1)
    """Answers per prompt."""
    reuse: bool = True
    """Reuse the pinned model's earlier answers while the canary finds no change."""


class Anchor(Section):
    """How changes of the judge are found: it grades answers that people judged again each night, and nothing is reused.

    The set of a criterion has at most `answers`, half of them failed where there are so many.
    """

    answers: int = Field(default=400, ge=0)
    """Labelled answers of each judged criterion; 0 disables it. It is used from 60 labelled answers on."""
    repeats: int = Field(default=1, ge=1)
    """Verdicts per answer and night."""
    budget_share: float = Field(default=0.1, gt=0, le=1)
    """Part of `budget.usd` that a night spends on it at most."""


class Models(Section):
    """The pinned model, and those that might take its place."""

    pinned: Model
    """The model in production."""
    candidates: tuple[Model, ...] = ()
    """Models that might replace it."""
    judge: Model | None = None
    """Model that decides criteria of kind `judge`."""
    canary: Canary = Canary()
    """Nightly check whether the pinned model changed."""
    anchor: Anchor = Anchor()
    """Nightly check whether the judge changed."""

    def written(self) -> tuple[Model, ...]:
        """Each model once, however many prompts it is to try; the judge last."""
        return (self.pinned, *self.candidates, *([self.judge] if self.judge else []))

"""The sections of genchi.yaml: what may stand in each, and what a single one can know to be wrong."""

import json
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from flows.config.fields import parse_path
from flows.config.paths import SourcePattern, WorkspacePath
from flows.config.variables import unset_variables
from flows.project import log_formats


def _known_format(name: str) -> str:
    known = log_formats()
    if name not in known:
        raise ValueError(f"unknown log format; use one of {', '.join(known)}")
    return name


def _sendable(params: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(params)
    except (TypeError, ValueError) as error:
        raise ValueError(f"cannot be sent to a model: {error}; write dates in quotes") from None
    return params


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Source(Section):
    """Where one kind of log lies: a glob of files, or a PostgreSQL query; `{day}` in them stands for YYYY-MM-DD."""

    name: str
    """Unique name. The lake's `source` columns carry it."""
    format: Annotated[str, AfterValidator(_known_format)]
    """One of the log formats of `flows/ingest/sources/`."""
    path: SourcePattern = ""
    """Glob of files, local or `s3://`; `{day}` is YYYY-MM-DD. Without `{day}`: each file once, and after changes."""
    dsn: str | None = Field(default=None, repr=False)
    """PostgreSQL connection string, instead of `path`."""
    query: str | None = None
    """SQL for `dsn`, with `{day}` and `{next_day}`. Default for `litellm`: the table `LiteLLM_SpendLogs`."""
    route: str | None = None
    """A name, or `$.` and a field's path such as `$.metadata.job`. Without it, or without the field: the log's."""

    @property
    def route_path(self) -> tuple[str | int | None, ...] | None:
        """The steps of the path that `route` is; None where it is a name."""
        return parse_path(self.route) if self.route and self.route.startswith("$.") else None

    @field_validator("route")
    @classmethod
    def _is_name_or_path(cls, route: str | None) -> str | None:
        if route and route.startswith("$."):
            parse_path(route)
        return route

    @model_validator(mode="after")
    def _lies_in_one_place(self) -> "Source":
        if bool(self.path) == bool(self.dsn):
            raise ValueError("a source has either `path` (files) or `dsn` (a PostgreSQL database)")
        if self.query is not None and self.path:
            raise ValueError("`query` needs a `dsn`")
        if self.dsn and self.query is None and self.format != "litellm":
            raise ValueError("`dsn` needs a `query` in formats other than litellm")
        return self


class Price(Section):
    """USD per million tokens."""

    input: float = Field(ge=0)
    """USD per million input tokens."""
    output: float = Field(ge=0)
    """USD per million output tokens."""


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


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
    few_shot: Annotated[tuple[Annotated[int, Field(ge=0, le=50)], ...], BeforeValidator(_listed)] = ()
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
    """What turns texts into vectors: `wordllama` (in the package), `model2vec/<path>`, or a litellm embedding model.

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
    max_texts_per_day: int = Field(default=2000, ge=1, le=999_999)
    """Calls per route and day whose texts are embedded; a deterministic sample."""

    @field_validator("params")
    @classmethod
    def _can_be_sent(cls, params: dict[str, Any]) -> dict[str, Any]:
        return _sendable(params)


class Canary(Section):
    """How changes of the pinned model are found: so many prompts of the holdouts are sent a night, `answers` times.

    With `reuse`, answers of earlier nights stand for the holdout where the canary shows the pinned model unchanged.
    No prompts, no canary: then the whole holdout is sent to the pinned model each night.
    """

    prompts: int = Field(default=100, ge=0)
    """Holdout prompts that the canary sends each night; 0 disables it."""
    answers: int = Field(default=3, ge=1)
    """Answers per prompt."""
    reuse: bool = True
    """Reuse the pinned model's earlier answers while the canary finds no change."""


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

    def written(self) -> tuple[Model, ...]:
        """Each model once, however many prompts it is to try; the judge last."""
        return (self.pinned, *self.candidates, *([self.judge] if self.judge else []))


class Route(Section):
    """One job of the application. `margin` is in pass rate; None takes the default of the risk level.

    Of a holdout with more than `limit` examples, only so many are used: the same ones every time.
    """

    holdout: WorkspacePath | None = None
    """JSONL test set. Needs `criteria`."""
    criteria: WorkspacePath | None = None
    """YAML list of criteria. Needs `holdout`."""
    output_schema: WorkspacePath | None = None
    """JSON schema that production answers are checked against."""
    repeats: int = Field(default=1, ge=1)
    """Answers per example and model."""
    limit: int | None = Field(default=None, ge=1)
    """Examples per run at most; a deterministic sample."""
    margin: float | None = Field(default=None, ge=0, le=1)
    """Difference in pass rate that still counts as not worse. Default: by `risk`."""


class Budget(Section):
    """What a night may spend, and how fast."""

    usd: float | None = Field(default=None, ge=0)
    """Maximum spend of a night. Default: no limit."""
    concurrency: int = Field(default=16, ge=1)
    """Requests in flight."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    """Request rate limit."""
    tokens_per_minute: int | None = Field(default=None, ge=1)
    """Token rate limit."""


class Shadow(Section):
    """How many of a day's calls, of each route, are put to the candidates too; 0 is none."""

    samples_per_day: int = Field(default=0, ge=0)
    """Calls per route and day that the candidates answer too; 0 disables the shadow."""


class Review(Section):
    """How many samples a day a person is asked to look at."""

    samples_per_day: int = Field(default=30, ge=0)
    """Reserved for the review queue; not used yet."""


class Mute(Section):
    """Breaches to list as information only, until a date: those of one subject, or with one cause."""

    subject: str | None = None
    """Subject of the breaches, as `genchi breaches` prints it; `*` stands for any text."""
    cause: str | None = None
    """What the breaches coincide with, such as `release 2.1`; `*` stands for any text."""
    until: date
    """Last day, YYYY-MM-DD."""
    reason: str = Field(min_length=1)
    """Why; the page says it."""

    @model_validator(mode="after")
    def _names_one_thing(self) -> "Mute":
        if bool(self.subject) == bool(self.cause):
            raise ValueError("a mute has either a `subject` or a `cause`")
        return self


class Alert(Section):
    """Where a digest goes."""

    kind: Literal["webhook", "slack"]
    """Format of the message."""
    url: str = Field(repr=False)
    """Where the digest is posted."""

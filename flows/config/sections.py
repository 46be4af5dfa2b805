"""The sections of genchi.yaml: what may stand in each, and what a single one can know to be wrong."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationInfo,
    field_validator,
    model_validator,
)

from flows.config.fields import parse_path
from flows.config.log_formats import known_format
from flows.config.paths import SourcePattern, WebAddress, WorkspaceFunction, WorkspacePath
from flows.config.threshold_table import Risk
from flows.config.variables import require_variables, unset_variables


def _known_format(name: str, info: ValidationInfo) -> str:
    return known_format(name, info.context)


_SHORTEST_PASSWORD = 12


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Api(Section):
    """The API of a Langfuse or Phoenix server, which is asked for the records of a day, page by page."""

    host: WebAddress
    """Address of the server, such as `https://cloud.langfuse.com`."""
    public_key: str | None = Field(default=None, repr=False)
    """Public key of Langfuse's project."""
    secret_key: str | None = Field(default=None, repr=False)
    """Secret key of Langfuse's project."""
    key: str | None = Field(default=None, repr=False)
    """Phoenix's API key. Without it, none is sent."""
    project: Annotated[str, Field(min_length=1, pattern=r"^[^/?#]+$")] = "default"
    """Phoenix's project, by its name or id."""
    requests_per_minute: int = Field(default=30, ge=1)
    """Requests per minute at most. Langfuse's smallest plan allows 30."""
    page_size: int = Field(default=200, ge=1, le=1000)
    """Records per request at most."""
    late_days: int = Field(default=1, ge=0, le=60)
    """Days before a night's own that are pulled again, for records and scores that came late."""

    @field_validator("public_key", "secret_key", "key")
    @classmethod
    def _can_be_sent(cls, key: str | None) -> str | None:
        if key is not None and not re.fullmatch(r"[\x21-\x7e]*", key):
            raise ValueError(
                "a key has letters, digits and signs of ASCII only; look for a space or a line break in it"
            )
        return key

    @field_validator("host")
    @classmethod
    def _has_no_credentials(cls, host: str) -> str:
        if "@" in host or "?" in host or "#" in host:
            raise ValueError("the address of a server has no keys in it; write them as keys of `api`")
        return host


def _keys_of(log_format: str) -> tuple[str, ...]:
    return {"langfuse": ("public_key", "secret_key"), "openinference": ("key",)}.get(log_format, ())


class Source(Section):
    """Where one kind of log lies: a glob of files, a PostgreSQL query, or an API. `{day}` stands for YYYY-MM-DD."""

    name: str
    """Unique name. The lake's `source` columns carry it."""
    format: Annotated[str, AfterValidator(_known_format)]
    """One of the log formats of `flows/ingest/sources/`, or of the workspace's own `formats/<name>.sql`."""
    path: SourcePattern = ""
    """Glob of files, local or of a store; `{day}` is YYYY-MM-DD. Without `{day}`: each file once, and after changes."""
    dsn: str | None = Field(default=None, repr=False)
    """PostgreSQL connection string, instead of `path`."""
    query: str | None = None
    """SQL for `dsn`, with `{day}` and `{next_day}`. Default for `litellm`: the table `LiteLLM_SpendLogs`."""
    api: Api | None = None
    """Server to pull from, instead of `path`: Langfuse (`format: langfuse`) or Phoenix (`format: openinference`)."""
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
        if sum(map(bool, (self.path, self.dsn, self.api))) != 1:
            raise ValueError("a source has one of `path` (files), `dsn` (a PostgreSQL database) and `api` (a server)")
        if self.query is not None and not self.dsn:
            raise ValueError("`query` needs a `dsn`")
        if self.dsn and self.query is None and self.format != "litellm":
            raise ValueError("`dsn` needs a `query` in formats other than litellm")
        return self

    @model_validator(mode="after")
    def _has_the_keys_of_its_api(self) -> "Source":
        if self.api:
            names = _keys_of(self.format)
            if not names:
                raise ValueError("`api` needs the format `langfuse` (Langfuse) or `openinference` (Phoenix)")
            if self.format == "langfuse" and not (self.api.public_key and self.api.secret_key):
                raise ValueError("the `api` of Langfuse needs its `public_key` and `secret_key`")
            given = {name for name in ("public_key", "secret_key", "key") if getattr(self.api, name)}
            if given - set(names):
                raise ValueError(f"the `api` of this format takes {' and '.join(f'`{name}`' for name in names)} only")
        return self


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
    risk: Risk | None = None
    """How strict the thresholds and sizes of this route are. Default: the `risk` of the workspace."""
    repeats: int = Field(default=1, ge=1)
    """Answers per example and model. Default: by `risk`."""
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

    samples_per_day: int | None = Field(default=None, ge=0)
    """Calls per route and day that the candidates answer too; 0 disables the shadow. Default: by `risk`."""


class Review(Section):
    """The queue of answers that people are asked to judge, who does so, and who may see the page."""

    samples_per_day: int | None = Field(default=None, ge=0, le=1000)
    """Answers per day, of all routes together; 0 disables the queue. Default: by `risk`."""
    draw: Literal["finding", "rates"] = "finding"
    """`finding` aims a third of them at what may be wrong; `rates` draws as many failed by the judge as passed."""
    within: int = Field(default=3, ge=1)
    """Days after which a queue that nobody judged is told."""
    rota: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()
    """Who reviews, a name for each week in turn; the digest and the page name whose week it is."""
    password: str | None = Field(default=None, repr=False)
    """Password of the review page, at least 12 characters. Without it the page is served on loopback only."""
    hosts: tuple[str, ...] = ()
    """Further names under which the review page may be reached, such as that of a proxy before it."""

    def require_password(self, path: Path) -> None:
        """Raise ConfigError if the password waits for an environment variable; `path` is the configuration."""
        require_variables(path, "the review page", review=self)

    @field_validator("password")
    @classmethod
    def _is_long_enough(cls, password: str | None) -> str | None:
        if password is not None and not unset_variables(password) and len(password) < _SHORTEST_PASSWORD:
            raise ValueError(f"a password of the review page has at least {_SHORTEST_PASSWORD} characters")
        return password


class Mute(Section):
    """What to list as information only, until a date: one subject or incident, or what has one cause."""

    subject: str | None = None
    """Subject of breaches as `genchi breaches` prints it, or id of an incident; `*` stands for any text."""
    cause: str | None = None
    """What breaches coincide with, such as `release 2.1`, or cause of an incident; `*` stands for any text."""
    until: date
    """Last day, YYYY-MM-DD."""
    reason: str = Field(min_length=1)
    """Why; the page says it."""

    @model_validator(mode="after")
    def _names_one_thing(self) -> "Mute":
        if bool(self.subject) == bool(self.cause):
            raise ValueError("a mute has either a `subject` or a `cause`")
        return self


def listed(value: Any) -> Any:
    """A single value as a list of one."""
    return value if isinstance(value, list | tuple) else [value]


def _or_worse(value: Any) -> Any:
    return ("critical", "warning") if value == "warning" else listed(value)


class Alert(Section):
    """Where a digest goes."""

    kind: Literal["webhook", "slack", "apprise", "prefect", "python"]
    """`webhook` (JSON), `slack` (an incoming webhook), `apprise` (e-mail, Teams and others), `prefect` or `python`."""
    url: str = Field(default="", repr=False)
    """Where the digest is posted; for `apprise` [its URL](https://appriseit.com/services/), such as `mailtos://...`."""
    block: str | None = None
    """For `prefect`: a notification block of the Prefect server, such as `slack-webhook/my-block`."""
    function: WorkspaceFunction | None = None
    """For `python`: a function of the workspace, such as `my_alerts.py:send`; it is called with what webhooks get."""
    args: dict[str, JsonValue] = Field(default_factory=dict, repr=False)
    """For `python`: further arguments of the function, by name."""
    severity: Annotated[tuple[Literal["critical", "warning"], ...], BeforeValidator(_or_worse), Field(min_length=1)] = (
        "critical",
        "warning",
    )
    """What is sent: a list of severities, or the least one. Default: both."""
    owner: str | None = None
    """Send only what this one of the `owners` owns. Default: everything."""
    evidence: Literal["ids", "texts"] = "ids"
    """`texts`: quote users and answers in this alert, if the page does so too. Default: ids of calls, and no texts."""

    @model_validator(mode="after")
    def _says_where(self) -> "Alert":
        if self.kind == "python":
            if self.url or self.block or not self.function:
                raise ValueError("kind `python` takes a `function`, such as my_alerts.py:send, and no `url` or `block`")
        elif self.function or self.args:
            raise ValueError(f"`function` and `args` are for kind `python`, and not for `{self.kind}`")
        elif self.kind == "prefect":
            if self.url or not re.fullmatch(r"[^/\s]+/[^/\s]+", self.block or ""):
                raise ValueError("kind `prefect` takes a `block`, such as slack-webhook/my-block, and no `url`")
        elif not self.url or self.block:
            raise ValueError(f"kind `{self.kind}` takes a `url`, and no `block`")
        return self


class Ping(Section):
    """An address to ask for after each good night. A monitor behind it, such as healthchecks.io, tells if none came."""

    url: str = Field(repr=False)
    """The address. It is a secret, as that of a webhook is."""
    method: Literal["get", "post"] = "post"
    """How it is asked for; `post` sends a line with the day and the counts of incidents and failed checks."""
    failed: bool = False
    """Ask for the address with `/fail` at its end after a night with a failed stage."""

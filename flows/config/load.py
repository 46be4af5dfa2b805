"""`genchi.yaml` to one frozen, typed `Config`.

Belongs here: what a user may write in the configuration, its defaults, and the one-line errors about it. Does not: the
criteria and holdouts that it names (evaluate reads them) and thresholds (`dbt_project/seeds/thresholds.csv`).
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_serializer,
    model_validator,
)

from flows import outgoing
from flows.config import variables, yamlfile
from flows.config.engine import Engine
from flows.config.export_section import Export, check_export
from flows.config.fields import FieldPath, Retention, Timezone
from flows.config.model_sections import Embedding, Model, Models, Price
from flows.config.model_variants import BASELINE, ModelVariant, model_variants
from flows.config.paths import LakePlace, WebAddress, WorkspacePath
from flows.config.problems import did_you_mean, first_problem
from flows.config.secret_values import secrets_of
from flows.config.sections import Alert, Budget, Mute, Ping, Review, Route, Section, Shadow, Source
from flows.config.threshold_table import Risk, known_thresholds, thresholds, with_repeats
from flows.errors import ConfigError
from flows.lake import Lake, Readers, Storage, Tombstones, read_tombstones, withhold

__all__ = [
    "Alert",
    "Budget",
    "Config",
    "Embedding",
    "Engine",
    "Model",
    "Models",
    "Price",
    "Review",
    "Route",
    "Source",
    "load_config",
]

Severity = Literal["info", "warning", "critical"]
Evidence = Literal["texts", "ids"]
Redaction = Literal["email", "phone", "card", "secret", "iban", "ip"]


def _unless_it_waits(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    """A value that waits for a variable is validated when the variable is set."""
    return value if variables.unset_variables(value) else validate(value)


def _default_warehouse(given: dict[str, Any]) -> Path:
    """In the lake, or beside genchi.yaml where the lake is in an object store."""
    return (given["lake"] if isinstance(given["lake"], Path) else Path()) / "warehouse.duckdb"


class Config(Section):
    """The whole configuration of one workspace. Paths are absolute."""

    path: Path
    app: str
    """Name of the application."""
    lake: LakePlace
    """Directory of the lake, or `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`."""
    storage: Storage = Storage()
    """Access to the object store."""
    timezone: Timezone = "UTC"
    """Time zone that decides which day a call belongs to."""
    sources: tuple[Source, ...] = ()
    """Where the logs are. Without sources, the checks of arriving logs do not apply."""
    dev_set: WorkspacePath | None = None
    """JSONL of what development tests on: the reference for skew, and the source of worked examples."""
    window_days: int = Field(default=28, ge=1)
    """Length of the trailing window: the reference for drift."""
    catch_up: int = Field(default=7, ge=0, le=60)
    """Days before a night that it runs first where their nights did not run, without asking models; 0 for none."""
    redact: tuple[Redaction, ...] = ()
    """Kinds of personal data and API keys to remove from texts. Default: none."""
    redact_paths: tuple[FieldPath, ...] = ()
    """Fields to remove from the log's own records, such as `metadata.user_email` or `messages[*].name`."""
    user_key_secret: Annotated[str | None, Field(min_length=16), WrapValidator(_unless_it_waits)] = Field(
        default=None, repr=False
    )
    """Secret of the keyed hash of user ids. Default: the lake generates one."""
    retention: Retention = Field(default_factory=dict)
    """How long each lake table is kept: `90d`, `12w` or `keep`. Default: forever. `warehouse_calls` are the warehouse's
    rows of calls (default: `window_days` and 8 more), `warehouse_days` its numbers of days (default: forever)."""
    risk: Risk = "standard"
    """How strict the thresholds are, and how much is asked and drawn: see [risk](#risk). Routes may have their own."""
    thresholds: Annotated[dict[str, float], AfterValidator(known_thresholds)] = Field(default_factory=dict)
    """Single values instead of those of `risk`, the routes' own too, by their [names](#risk)."""
    mute: tuple[Mute, ...] = ()
    """Breaches that nobody is told about for some time."""
    routes: dict[str, Route] = Field(default_factory=dict)
    """Jobs of the application, by the route names in the logs."""
    models: Models | None = None
    """The models to evaluate. Without it, nothing is evaluated."""
    budget: Budget = Budget()
    """Spending and rate limits of a night."""
    shadow: Shadow = Shadow()
    """Live inputs that the candidates answer too."""
    evidence: Evidence = "texts"
    """What an incident shows of its example calls on the page: `texts`, or only their `ids`."""
    review: Review = Review()
    """The queue of answers that people judge."""
    embedding: Embedding = Embedding()
    """The model that turns texts into vectors."""
    alerts: tuple[Alert, ...] = ()
    """Where the digest of failed expectations goes."""
    ping: Ping | None = None
    """What to ask for after each good night, so that a night that did not run is noticed."""
    owners: dict[str, str] = Field(default_factory=dict)
    """Who owns what: a route, a criterion, `route/criterion`, or `*` for all else, to a name that digests carry."""
    engine: Engine = Engine()
    """Who reads the logs, what computes the warehouse, and how much of the machine a run may take."""
    readers: Readers = "group"
    """Who may read lake, warehouse and reports: `owner`, `group` (as far as the umask lets it) or `everybody`."""
    warehouse: WorkspacePath = Field(default_factory=_default_warehouse, validate_default=True)
    """DuckDB file. Default: `<lake>/warehouse.duckdb`; next to `genchi.yaml` where the lake is in an object store."""
    export: Export | None = None
    """The marts as tables for other engines. Without it, they are in the warehouse, and as Parquet in the lake."""
    reports: WorkspacePath = Field(default=Path("reports"), validate_default=True)
    """Folder of the pages."""
    evidently: bool = False
    """Draw Evidently's drift report of the busiest route each night, beside the page. It costs some seconds."""
    report_url: WebAddress | None = None
    """Address at which that folder is served, for the links in digests. Default: digests name the page's path."""

    _with_repeats = model_validator(mode="before")(with_repeats)

    @model_serializer(mode="plain")
    def _without_secrets(self) -> dict[str, str]:
        """Prefect stores the parameters of flows as JSON: of a configuration, which holds API keys, only its name."""
        return {"app": self.app, "path": str(self.path)}

    @property
    def workspace(self) -> Path:
        """The folder of genchi.yaml, to which its relative paths are relative."""
        return self.path.parent

    @property
    def state(self) -> Path:
        """Where what one machine keeps of the lake lies: in it, or in `.genchi` where it is in an object store."""
        return self.lake if isinstance(self.lake, Path) else self.workspace / ".genchi"

    def pages_of(self, day: date) -> str:
        """Where the pages of a night are for who gets a digest: an address below `report_url`, or else their folder."""
        return f"{self.report_url}/{day}" if self.report_url else str(self.reports / day.isoformat())

    def open_lake(self) -> Lake:
        """The lake of this workspace. From now on this process writes for the `readers` only."""
        local = [place for place in (self.lake, self.state) if isinstance(place, Path)]
        withhold(self.readers, *local, self.reports, self.warehouse)
        return Lake(self.lake, self.storage, self.state, self.engine.limits)

    def secret_of_user_keys(self, lake: Lake) -> bytes:
        """The secret of the keyed hashes of user ids: the configured one, or the lake's own, made at first use."""
        return self.user_key_secret.encode() if self.user_key_secret else lake.user_key_secret()

    def tombstones(self, lake: Lake) -> Tombstones:
        """What was forgotten. A lake without tombstones is not given a secret for them."""
        return read_tombstones(lake, self.secret_of_user_keys(lake)) if lake.days("tombstones") else Tombstones(b"")

    def all_models(self) -> tuple[ModelVariant, ...]:
        """All that take part, the pinned model first, then the candidates; empty where no models are configured."""
        return model_variants(self.models) if self.models else ()

    def models_on(self, route: str) -> tuple[ModelVariant, ...]:
        """Those of `all_models` that take part on a route."""
        return tuple(model for model in self.all_models() if not model.routes or route in model.routes)

    @property
    def judge(self) -> Model | None:
        """The model that judges, where one is configured."""
        return self.models.judge if self.models else None

    @property
    def limits(self) -> dict[str, float]:
        """Every threshold by its name: the workspace's own, or else that of its `risk`."""
        return thresholds(self.risk) | self.thresholds

    def evaluated_routes(self) -> dict[str, Route]:
        """The routes that have a holdout and criteria, by name."""
        return {name: route for name, route in self.routes.items() if route.holdout and route.criteria}

    @property
    def evaluates(self) -> bool:
        """Whether there are models and a route to evaluate."""
        return bool(self.models and self.evaluated_routes())

    def require_evaluation(self, *, candidates: bool = False) -> None:
        """Raise ConfigError if there is nothing to evaluate, or an environment variable of the pinned model is not set.

        One of a candidate counts only where the `candidates` are needed: else it stops that candidate, and one of the
        judge what is judged.
        """
        if not self.evaluates:
            lacking = "`models`, and a route with `holdout` and `criteria`"
            raise ConfigError(f"{self.path}: nothing to evaluate; add {lacking}")
        assert self.models is not None
        needed = {"pinned": self.models.pinned, **({"candidates": self.models.candidates} if candidates else {})}
        variables.require_variables(self.path, "evaluation", models=needed)

    def require_for_ingest(self) -> None:
        """Raise ConfigError if an environment variable is not set that reading any log needs.

        One that a single source needs stops only that source.
        """
        variables.require_variables(self.path, "reading logs", user_key_secret=self.user_key_secret)

    def require_for_semantics(self) -> None:
        """Raise ConfigError if an environment variable is not set that embedding texts needs."""
        variables.require_variables(self.path, "embedding texts", embedding=self.embedding)

    def yesterday(self) -> date:
        """The last whole day in the configured time zone. The only reading of the clock in a night."""
        return datetime.now(ZoneInfo(self.timezone)).date() - timedelta(days=1)


def load_config(path: str | Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read the configuration at `path`, with `${NAME}` taken from `environment` (default: the process's).

    A variable that is not set is an error here only if everything needs it; see `Config.require_for_ingest`.

    Raises ConfigError, in one line, for a missing file, broken YAML, a duplicate key, an unknown key, a wrong
    value, such a variable, or a named file that does not exist.
    """
    path = Path(path).absolute()
    if not path.is_file():
        raise ConfigError(f"{path}: no such file; name one with --config, or write one with `genchi init`")
    written = yamlfile.read_yaml(path)
    raw = variables.expand(written, path, environment)
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: expected keys and values such as `app: my-app`, found {type(raw).__name__}")
    if "path" in raw:
        raise ConfigError(f"{path}: unknown key `path`")
    try:
        config = Config.model_validate({**raw, "path": path}, context=path.parent)
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_problem(error, written, Config, hidden=frozenset({'path'}))}") from None
    _check_consistency(config)
    check_export(config)
    outgoing.hide(*secrets_of(config))
    return config


def _check_consistency(config: Config) -> None:
    """What a single field cannot know: unique names, and files that exist."""
    _check_models(config)
    _check_unique(config, "sources", [source.name for source in config.sources])
    for name, route in config.routes.items():
        if (route.holdout is None) != (route.criteria is None):
            lacking = "criteria" if route.criteria is None else "holdout"
            raise ConfigError(
                f"{config.path}: routes.{name}: has no `{lacking}`; set `holdout` and `criteria`, or neither"
            )
        for key in ("holdout", "criteria"):
            file = getattr(route, key)
            if file is not None and not file.is_file():
                raise ConfigError(f"{config.path}: routes.{name}.{key}: no such file: {file}")
    for alert in config.alerts:
        if alert.owner and alert.owner not in config.owners.values():
            known = did_you_mean(alert.owner, config.owners.values())
            raise ConfigError(f"{config.path}: alerts: no such owner {alert.owner!r} in `owners`; {known}")
    if config.dev_set is not None and not config.dev_set.is_file():
        raise ConfigError(f"{config.path}: dev_set: no such file: {config.dev_set}")


def _check_models(config: Config) -> None:
    _check_unique(config, "models", [model.name for model in config.all_models()])
    for place, model in enumerate(config.all_models()):
        where = f"{config.path}: models: {model.name}"
        if place == 0 and (model.routes or model.is_baseline):
            what = "`routes`" if model.routes else f"`{BASELINE}...`"
            raise ConfigError(f"{where}: {what} is for candidates; the pinned model is what production uses")
        for route in model.routes:
            if route not in config.routes:
                raise ConfigError(f"{where}: no route {route!r}; {did_you_mean(route, config.routes)}")
        if model.shots and config.dev_set is None:
            raise ConfigError(f"{where}: `few_shot` takes its examples from the `dev_set`, which is not set; set it")


def _check_unique(config: Config, section: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{config.path}: {section}: duplicate name {name!r}; give one of them another `name`")

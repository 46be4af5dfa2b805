"""Criteria: what is asked of an answer, from YAML to typed, ready-made objects."""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flows.config import Config, Model, Route, did_you_mean, first_problem, read_yaml
from flows.errors import ConfigError
from flows.evaluate.criteria import judge_prompt, repair
from flows.evaluate.criteria.definitions import (
    KINDS,
    UNWRAPPED,
    Contains,
    Definition,
    Exact,
    JsonSchema,
    JsonValid,
    Judge,
    Numeric,
    Python,
)
from flows.evaluate.criteria.json_schema import Schema, hash_of, load_schema


@dataclass(frozen=True)
class Criterion:
    """One criterion, ready to score. `version` changes with whatever may change a score, and with nothing else.

    `judge` is the model that a criterion of this kind asks. One that is `unwrapped` looks at answers without their
    wrapping; see `unwrapped`.
    """

    definition: Definition
    version: str
    schema: Schema | None = None
    function: Callable[[dict[str, Any], str], Any] | None = None
    judge: Model | None = None
    is_unwrapped: bool = False

    @property
    def name(self) -> str:
        """Its name, unique in a route."""
        return self.definition.name

    @property
    def is_pairwise(self) -> bool:
        """Whether it compares a candidate's answer with the pinned model's."""
        return isinstance(self.definition, Judge) and self.definition.mode == "pairwise"

    @property
    def needs_expected(self) -> bool:
        """Whether it compares an answer with what is expected, which nobody knows of production."""
        return isinstance(self.definition, Exact | Contains | Numeric)

    @cached_property
    def unwrapped(self) -> "Criterion | None":
        """The same question to the answer without its wrapping; None where a wrapping cannot mislead this one.

        It is for information: nothing hangs on it but the words about its original.
        """
        match self.definition:
            case JsonValid() | JsonSchema() | Python() | Exact(extract=None):
                own = {"name": self.name + UNWRAPPED, "severity": "info", "min_pass_rate": None}
                version = hash_of(self.version, repair.RULES)
                definition = self.definition.model_copy(update=own)
                return replace(self, definition=definition, version=version, is_unwrapped=True)
            case _:
                return None


def criteria_of_route(config: Config, route: Route) -> tuple[Criterion, ...]:
    """The criteria of a route; none where it names no file. Raises ConfigError as `load` does."""
    if route.criteria is None:
        return ()
    return load_criteria(route.criteria, config.workspace, route.output_schema, config.judge)


def load_criteria(
    path: Path, workspace: Path, output_schema: Path | None = None, judge: Model | None = None
) -> tuple[Criterion, ...]:
    """Read the criteria of one route.

    `workspace` is where python criteria look for their modules; `output_schema` is the route's own JSON schema;
    `judge` is the model that judges.
    Raises ConfigError, in one line, for what is wrong in the file or in a file that it names.
    """
    criteria = tuple(
        _build(path, *pair, workspace, output_schema=output_schema, judge=judge)
        for pair in enumerate(_read_list(path), 1)
    )
    names = [criterion.name for criterion in criteria]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: the name {name!r} stands twice; criteria of a route need a name each")
    return criteria


def _read_list(path: Path) -> list[Any]:
    raw = read_yaml(path)
    if not isinstance(raw, list) or not raw:
        raise ConfigError(f"{path}: expected a list such as `- {{name: correct, kind: exact}}`")
    return raw


def _build(
    path: Path, number: int, raw: Any, workspace: Path, *, output_schema: Path | None, judge: Model | None
) -> Criterion:
    definition = _define(path, number, raw)
    decisive = definition.model_dump(mode="json", exclude={"name", "severity", "min_pass_rate", "samples_per_day"})
    match definition:
        case Judge():
            if judge is None:
                raise ConfigError(f"{path}: criterion `{definition.name}`: no model judges; name one as `models.judge`")
            version = hash_of(
                decisive, judge.model, judge.api_base, judge.params, judge_prompt.version(definition.mode)
            )
            return Criterion(definition, version, judge=judge)
        case JsonSchema():
            schema = load_schema(_schema_path(path, definition, output_schema))
            return Criterion(definition, hash_of(decisive, schema.version), schema=schema)
        case Python():
            where = f"{path}: criterion `{definition.name}`"
            file = workspace.joinpath(*definition.function.split(":")[0].split(".")).with_suffix(".py")
            function = _load_function(where, file, definition.function.split(":")[1])
            return Criterion(definition, hash_of(decisive, file.read_text(encoding="utf-8")), function=function)
        case _:
            return Criterion(definition, hash_of(decisive))


def _define(path: Path, number: int, raw: Any) -> Definition:
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: criterion {number}: expected keys and values, found {type(raw).__name__}")
    where = f"{path}: criterion {number}" + (f" (`{raw['name']}`)" if "name" in raw else "")
    kind = raw.get("kind")
    if kind not in KINDS:
        raise ConfigError(f"{where}: `kind`: no kind {kind!r}; {did_you_mean(kind, KINDS)}")
    try:
        return KINDS[kind].model_validate(raw)
    except ValidationError as error:
        raise ConfigError(f"{where}: {first_problem(error, raw, KINDS[kind])}") from None


def _schema_path(path: Path, definition: JsonSchema, output_schema: Path | None) -> Path:
    if definition.file is not None:
        return path.parent / definition.file
    if output_schema is None:
        raise ConfigError(
            f"{path}: criterion `{definition.name}`: no schema; name one with `schema`, or give the route an"
            " `output_schema`"
        )
    return output_schema


def _load_function(where: str, file: Path, name: str) -> Callable[[dict[str, Any], str], Any]:
    """A function of the workspace's own code, which is trusted as the configuration is."""
    if not file.is_file():
        raise ConfigError(f"{where}: no such file: {file}")
    spec = importlib.util.spec_from_file_location(f"_genchi_workspace_{hash_of(str(file))}", file)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{where}: cannot be loaded: {file}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickle look a module up by its name
    sys.path.insert(0, str(file.parent))  # so that it can import what lies beside it
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{where}: {file} fails to load: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(file.parent))
    function = getattr(module, name, None)
    if not callable(function):
        raise ConfigError(f"{where}: {file} has no function `{name}`")
    return function  # type: ignore[no-any-return]  # what it returns is checked at each call

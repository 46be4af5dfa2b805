"""Criteria of a route: read from YAML, validated, and ready to score."""

import difflib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from flows.config import Config, Model, read_yaml
from flows.errors import ConfigError
from flows.evaluate.criteria import judge_prompt, repair
from flows.evaluate.criteria.definitions import (
    KINDS,
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
from flows.lake import UNWRAPPED


@dataclass(frozen=True)
class LoadedModule:
    """An imported file of Python checks, and its text when it was imported."""

    module: ModuleType
    text: str


Modules = dict[Path, LoadedModule]


@dataclass(frozen=True)
class Criterion:
    """One criterion, ready to score. `version` changes with anything that may change a score, and nothing else.

    `judge` is the judge model of a judge criterion. `is_repaired` criteria score the repaired answer; see `repaired`.
    """

    definition: Definition
    version: str
    schema: Schema | None = None
    function: Callable[[dict[str, Any], str], Any] | None = None
    judge: Model | None = None
    is_repaired: bool = False

    @property
    def name(self) -> str:
        """The name, unique in a route."""
        return self.definition.name

    @property
    def is_pairwise(self) -> bool:
        """Whether it compares a candidate's answer with the pinned model's."""
        return isinstance(self.definition, Judge) and self.definition.mode == "pairwise"

    @property
    def needs_expected(self) -> bool:
        """Whether it needs `expected`, which production calls do not have."""
        return isinstance(self.definition, Exact | Contains | Numeric)

    @cached_property
    def repaired(self) -> "Criterion | None":
        """The same criterion applied to the repaired answer; None if formatting cannot mislead this criterion.

        It has severity `info`, and only explains the result of the original criterion.
        """
        match self.definition:
            case JsonValid() | JsonSchema() | Python() | Exact(extract=None):
                own = {"name": self.name + UNWRAPPED, "severity": "info", "min_pass_rate": None}
                version = hash_of(self.version, repair.RULES)
                definition = self.definition.model_copy(update=own)
                return replace(self, definition=definition, version=version, is_repaired=True)
            case _:
                return None


def criteria_by_route(config: Config) -> dict[str, tuple[Criterion, ...]]:
    """The criteria by route; empty for a route without a criteria file. Raises ConfigError as `load_criteria`.

    A Python file that several criteria use is imported once.
    """
    loaded: Modules = {}
    return {
        name: load_criteria(route.criteria, config.workspace, route.output_schema, config.judge, loaded)
        if route.criteria
        else ()
        for name, route in config.routes.items()
    }


def load_criteria(
    path: Path,
    workspace: Path,
    output_schema: Path | None = None,
    judge: Model | None = None,
    loaded: Modules | None = None,
) -> tuple[Criterion, ...]:
    """Read the criteria of one route.

    `workspace` is the folder of the modules of python criteria, `output_schema` the route's JSON schema, `judge` the
    judge model. `loaded` are the Python files imported so far; newly imported ones are added to it.
    Raises ConfigError, in one line, for an error in the file or in a file that it refers to.
    """
    loaded = {} if loaded is None else loaded
    criteria = tuple(
        _build(path, *pair, workspace, output_schema=output_schema, judge=judge, loaded=loaded)
        for pair in enumerate(_read_list(path), 1)
    )
    names = [criterion.name for criterion in criteria]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: duplicate name {name!r}; each criterion of a route needs a unique name")
    return criteria


def _read_list(path: Path) -> list[Any]:
    raw = read_yaml(path)
    if not isinstance(raw, list) or not raw:
        raise ConfigError(f"{path}: expected a list such as `- {{name: correct, kind: exact}}`")
    return raw


def _build(
    path: Path,
    number: int,
    raw: Any,
    workspace: Path,
    *,
    output_schema: Path | None,
    judge: Model | None,
    loaded: Modules,
) -> Criterion:
    definition = _define(path, number, raw)
    decisive = definition.model_dump(mode="json", exclude={"name", "severity", "min_pass_rate", "samples_per_day"})
    match definition:
        case Judge():
            if judge is None:
                raise ConfigError(
                    f"{path}: criterion `{definition.name}`: no judge model is configured; set `models.judge`"
                )
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
            if file not in loaded:
                loaded[file] = _load_module(where, file)
            function = _function(where, file, loaded[file].module, definition.function.split(":")[1])
            return Criterion(definition, hash_of(decisive, loaded[file].text), function=function)
        case _:
            return Criterion(definition, hash_of(decisive))


def _define(path: Path, number: int, raw: Any) -> Definition:
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: criterion {number}: expected keys and values, found {type(raw).__name__}")
    where = f"{path}: criterion {number}" + (f" (`{raw['name']}`)" if "name" in raw else "")
    kind = raw.get("kind")
    if kind not in KINDS:
        nearest = difflib.get_close_matches(str(kind), KINDS, n=1, cutoff=0)[0]
        raise ConfigError(f"{where}: `kind`: unknown kind {kind!r}; did you mean `{nearest}`?")
    known = [field.alias or key for key, field in KINDS[kind].model_fields.items()]
    for key in raw:
        if key not in known:
            nearest = difflib.get_close_matches(str(key), known, n=1, cutoff=0)[0]
            raise ConfigError(f"{where}: unknown key `{key}`; did you mean `{nearest}`?")
    try:
        return KINDS[kind].model_validate(raw)
    except ValidationError as error:
        raise ConfigError(f"{where}: {_first_problem(error)}") from None


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "missing":
        return f"the key `{key}` is missing"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    return f"`{key}`: {message}, found {problem['input']!r}" if key else message


def _schema_path(path: Path, definition: JsonSchema, output_schema: Path | None) -> Path:
    if definition.file is not None:
        return path.parent / definition.file
    if output_schema is None:
        raise ConfigError(
            f"{path}: criterion `{definition.name}`: no schema; set `schema`, or give the route an `output_schema`"
        )
    return output_schema


def _load_module(where: str, file: Path) -> LoadedModule:
    """Import a Python file of the workspace. It is trusted like the configuration."""
    if not file.is_file():
        raise ConfigError(f"{where}: no such file: {file}")
    spec = importlib.util.spec_from_file_location(f"_genchi_workspace_{hash_of(str(file))}", file)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{where}: cannot be loaded: {file}")
    module, text = importlib.util.module_from_spec(spec), file.read_text(encoding="utf-8")
    sys.modules[spec.name] = module  # dataclasses and pickle look up a module by its name
    sys.path.insert(0, str(file.parent))  # so that it can import modules beside it
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{where}: {file} fails to load: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(file.parent))
    return LoadedModule(module, text)


def _function(where: str, file: Path, module: ModuleType, name: str) -> Callable[[dict[str, Any], str], Any]:
    function = getattr(module, name, None)
    if not callable(function):
        raise ConfigError(f"{where}: {file} has no function `{name}`")
    return function  # type: ignore[no-any-return]  # what it returns is checked at each call

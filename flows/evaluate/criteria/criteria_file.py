"""Criteria of a route: read from YAML, validated, and ready to score."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flows.config import Config, Model, did_you_mean, first_problem, read_yaml
from flows.errors import ConfigError
from flows.evaluate.criteria import folding, judge_prompt, number_reading, repair
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
from flows.evaluate.criteria.json_schema import Schema, hash_of, load_or_report, load_schema
from flows.evaluate.criteria.judge_template import JudgeTemplate, template_of
from flows.evaluate.criteria.time_limit import Timeouts
from flows.functions import PythonFile, UnusableFunctionError, parse_function
from flows.lake import UNWRAPPED

log = logging.getLogger(__name__)

Files = dict[Path, PythonFile]


@dataclass(frozen=True)
class Criterion:
    """One criterion, ready to score. `version` changes with anything that may change a score, and nothing else.

    `problem` says why it cannot be applied: its answers are unscored.
    `judge` is the judge model of a judge criterion, `template` its prompt where the workspace has one. `is_repaired`
    criteria score the repaired answer; see `repaired`.
    """

    definition: Definition
    version: str
    schema: Schema | None = None
    function: Callable[[dict[str, Any], str], Any] | None = None
    judge: Model | None = None
    template: JudgeTemplate | None = None
    is_repaired: bool = False
    problem: str | None = None
    timeouts: Timeouts = field(default_factory=Timeouts, compare=False, repr=False)

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

    @property
    def is_self_contained(self) -> bool:
        """Whether it needs an answer and its example only: no judge, and no function of the workspace, which may rest
        on files beside it or ask a server.
        """
        return not isinstance(self.definition, Judge | Python)

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


NOT_DECISIVE = {"name", "severity", "need", "min_pass_rate", "samples_per_day", "author", "reason"}
"""The keys that do not change which answers pass, and so not a criterion's version."""


def criteria_by_route(config: Config) -> dict[str, tuple[Criterion, ...]]:
    """The criteria by route; empty for a route without a criteria file. Raises ConfigError as `load_criteria`.

    A Python file that several criteria use is imported once. A criterion whose schema or Python file cannot be used is
    reported and leaves its answers unscored; it does not stop the others.
    """
    loaded: Files = {}
    return {
        name: load_criteria(route.criteria, config.workspace, route.output_schema, config.judge, loaded, report=True)
        if route.criteria
        else ()
        for name, route in config.routes.items()
    }


def load_criteria(
    path: Path,
    workspace: Path,
    output_schema: Path | None = None,
    judge: Model | None = None,
    loaded: Files | None = None,
    *,
    report: bool = False,
) -> tuple[Criterion, ...]:
    """Read the criteria of one route.

    `workspace` is the folder of the modules of python criteria, `output_schema` the route's JSON schema, `judge` the
    judge model. `loaded` are the Python files loaded so far; newly loaded ones are added to it.
    Raises ConfigError, in one line, for an error in the file or in a file that it refers to. With `report`, a schema or
    Python file that cannot be used is only logged, and its criterion leaves answers unscored.
    """
    loaded = {} if loaded is None else loaded
    criteria = tuple(
        _build(path, *pair, workspace, output_schema=output_schema, judge=judge, loaded=loaded, report=report)
        for pair in enumerate(_read_list(path), 1)
    )
    names = [criterion.name for criterion in criteria]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: duplicate name {name!r}; each criterion of a route needs a unique name")
    return criteria


def criterion_of(raw: dict[str, Any], judge: Model | None = None) -> Criterion:
    """One criterion from its keys, as a candidate of which no file is known: no schema and no Python function.

    Raises ConfigError for wrong keys.
    """
    definition = _define(Path("candidate"), 1, raw)
    decisive = definition.model_dump(mode="json", exclude=NOT_DECISIVE)
    decisive.pop("prompt", None)
    version = hash_of(decisive)
    if isinstance(definition, Judge) and judge is not None:
        version = hash_of(decisive, judge.model, judge.api_base, judge.params, judge_prompt.version(definition.mode))
    return Criterion(definition, version, judge=judge if isinstance(definition, Judge) else None)


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
    loaded: Files,
    report: bool,
) -> Criterion:
    definition = _define(path, number, raw)
    decisive = definition.model_dump(mode="json", exclude=NOT_DECISIVE)
    if not decisive.get("args"):
        decisive.pop("args", None)  # a criterion without arguments is the same as before there were any
    where = f"{path}: criterion `{definition.name}`"
    match definition:
        case Judge():
            if judge is None:
                raise ConfigError(f"{where}: no judge model is configured; set `models.judge`")
            decisive.pop("prompt")  # its text counts, and not its name
            template = template_of(workspace, definition.name, definition.mode, definition.prompt)
            prompt = judge_prompt.version(definition.mode, template)
            version = hash_of(decisive, judge.model, judge.api_base, judge.params, prompt)
            return Criterion(definition, version, judge=judge, template=template)
        case JsonSchema():
            file = _schema_path(path, definition, output_schema)
            schema = load_or_report(file, where) if report else load_schema(file)
            return Criterion(definition, hash_of(decisive, schema.version), schema=schema, problem=schema.problem)
        case Python():
            file, name = parse_function(definition.function)
            try:
                python = _load(where, workspace / file, loaded, name, definition.args)
            except UnusableFunctionError as error:
                if not report:
                    raise
                log.warning("%s. Until then its answers are unscored", error)
                return Criterion(definition, hash_of(decisive, str(error)), problem=str(error))
            function = partial(_call, python, name, definition.args)
            return Criterion(definition, hash_of(decisive, python.text), function=function)
        case Exact() | Contains() | Numeric():
            return Criterion(definition, hash_of(decisive, folding.RULES, number_reading.RULES))
        case _:
            return Criterion(definition, hash_of(decisive))


def _define(path: Path, number: int, raw: Any) -> Definition:
    if not isinstance(raw, dict):
        raise ConfigError(f"{path}: criterion {number}: expected keys and values, found {type(raw).__name__}")
    where = f"{path}: criterion {number}" + (f" (`{raw['name']}`)" if "name" in raw else "")
    kind = raw.get("kind")
    if kind not in KINDS:
        raise ConfigError(f"{where}: `kind`: unknown kind {kind!r}; {did_you_mean(kind, KINDS)}")
    try:
        return KINDS[kind].model_validate(raw)
    except ValidationError as error:
        raise ConfigError(f"{where}: {first_problem(error, raw, KINDS[kind])}") from None


def _schema_path(path: Path, definition: JsonSchema, output_schema: Path | None) -> Path:
    if definition.file is not None:
        return path.parent / definition.file
    if output_schema is None:
        raise ConfigError(
            f"{path}: criterion `{definition.name}`: no schema; set `schema`, or give the route an `output_schema`"
        )
    return output_schema


def _load(where: str, file: Path, loaded: Files, function: str, args: Mapping[str, Any]) -> PythonFile:
    """The file of a python criterion, imported once for all criteria. It is trusted like the configuration.

    Raises UnusableFunctionError if there is no such file or function, if the file fails to load, or if the function
    does not take an example, an answer and `args`.
    """
    if not file.is_file():
        raise UnusableFunctionError(f"{where}: no such file: {file}; write it, or correct `function`")
    try:
        loaded.setdefault(file, PythonFile(file)).check(function, 2, args)
    except UnusableFunctionError as error:
        raise UnusableFunctionError(f"{where}: {error}; correct the file, `function` or `args`") from None
    return loaded[file]


def _call(file: PythonFile, name: str, args: Mapping[str, Any], example: Mapping[str, Any], text: str) -> Any:
    return file.call(name, (example, text), args)

"""Criteria: what is asked of an answer, from YAML to typed, ready-made objects."""

import difflib
import importlib.util
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from flows import yamlfile
from flows.config import Severity
from flows.errors import ConfigError
from flows.evaluate.schemas import Schema, hash_of, load_schema


def _is_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"no valid pattern ({error})") from None
    return text


def _has_group(text: str) -> str:
    if re.compile(_is_pattern(text)).groups == 0:
        raise ValueError("needs a group in round brackets around what is compared")
    return text


Pattern = Annotated[str, AfterValidator(_is_pattern)]
Extract = Annotated[str, AfterValidator(_has_group)]


class _Definition(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(min_length=1)
    severity: Severity = "warning"
    min_pass_rate: float | None = Field(default=None, ge=0, le=1)


class Exact(_Definition):
    """The answer is what is expected."""

    kind: Literal["exact"]
    extract: Extract | None = None
    strict: bool = False


class Contains(_Definition):
    """The answer contains what is expected."""

    kind: Literal["contains"]
    extract: Extract | None = None
    strict: bool = False


class Regex(_Definition):
    """The pattern is found in the answer, case and all."""

    kind: Literal["regex"]
    pattern: Pattern


class Numeric(_Definition):
    """The first number of the answer is at most `tolerance` away from that of what is expected."""

    kind: Literal["numeric"]
    extract: Extract | None = None
    tolerance: float = Field(default=0.0, ge=0)


class JsonValid(_Definition):
    """The whole answer is JSON."""

    kind: Literal["json_valid"]


class JsonSchema(_Definition):
    """The whole answer is JSON that fulfils a schema: `schema` (relative to the criteria's file), or the route's."""

    kind: Literal["json_schema"]
    file: str | None = Field(default=None, alias="schema")


class Length(_Definition):
    """The answer is neither shorter nor longer than this, in characters or words."""

    kind: Literal["length"]
    min_chars: int | None = Field(default=None, ge=0)
    max_chars: int | None = Field(default=None, ge=0)
    min_words: int | None = Field(default=None, ge=0)
    max_words: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _says_something(self) -> "Length":
        if {self.min_chars, self.max_chars, self.min_words, self.max_words} == {None}:
            raise ValueError("needs one of min_chars, max_chars, min_words, max_words")
        return self


class Latency(_Definition):
    """The answer took at most `max_ms` milliseconds."""

    kind: Literal["latency"]
    max_ms: float = Field(gt=0)


class Cost(_Definition):
    """The answer cost at most `max_usd` USD."""

    kind: Literal["cost"]
    max_usd: float = Field(ge=0)


class Python(_Definition):
    """The workspace's own function says so."""

    kind: Literal["python"]
    function: str = Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")


Definition = Exact | Contains | Regex | Numeric | JsonValid | JsonSchema | Length | Latency | Cost | Python
_KINDS: dict[str, type[Definition]] = {
    str(kind.model_fields["kind"].annotation.__args__[0]): kind  # type: ignore[union-attr]  # each is a Literal of one
    for kind in (Exact, Contains, Regex, Numeric, JsonValid, JsonSchema, Length, Latency, Cost, Python)
}


@dataclass(frozen=True)
class Criterion:
    """One criterion, ready to score. `version` changes with whatever may change a score, and with nothing else."""

    definition: Definition
    version: str
    schema: Schema | None = None
    function: Callable[[dict[str, Any], str], Any] | None = None

    @property
    def name(self) -> str:
        """Its name, unique in a route."""
        return self.definition.name


def load(path: Path, workspace: Path, output_schema: Path | None = None) -> tuple[Criterion, ...]:
    """Read the criteria of one route.

    `workspace` is where python criteria look for their modules; `output_schema` is the route's own JSON schema.
    Raises ConfigError, in one line, for what is wrong in the file or in a file that it names.
    """
    criteria = tuple(_build(path, *pair, workspace, output_schema) for pair in enumerate(_read_list(path), 1))
    names = [criterion.name for criterion in criteria]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{path}: the name {name!r} stands twice; criteria of a route need a name each")
    return criteria


def _read_list(path: Path) -> list[Any]:
    raw = yamlfile.read(path)
    if not isinstance(raw, list) or not raw:
        raise ConfigError(f"{path}: expected a list such as `- {{name: correct, kind: exact}}`")
    return raw


def _build(path: Path, number: int, raw: Any, workspace: Path, output_schema: Path | None) -> Criterion:
    definition = _define(path, number, raw)
    decisive = definition.model_dump(mode="json", exclude={"name", "severity", "min_pass_rate"})
    match definition:
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
    if kind == "judge":
        raise ConfigError(f"{where}: `kind: judge` is not available in this version")
    if kind not in _KINDS:
        nearest = difflib.get_close_matches(str(kind), _KINDS, n=1, cutoff=0)[0]
        raise ConfigError(f"{where}: `kind`: no kind {kind!r}; did you mean `{nearest}`?")
    known = [field.alias or key for key, field in _KINDS[kind].model_fields.items()]
    for key in raw:
        if key not in known:
            nearest = difflib.get_close_matches(str(key), known, n=1, cutoff=0)[0]
            raise ConfigError(f"{where}: unknown key `{key}`; did you mean `{nearest}`?")
    try:
        return _KINDS[kind].model_validate(raw)
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

"""JSON and JSON schemas: reading, validating, and the hashes that name versions."""

import hashlib
import json
import logging
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from flows.errors import ConfigError
from flows.evaluate.criteria import schema_formats
from flows.evaluate.criteria.schema_formats import names_a_format
from flows.evaluate.criteria.schema_rules import constrains, pattern_checker, unwrapped, validator_for

log = logging.getLogger(__name__)

_PYTHONS_DIGITS, _MOST_DIGITS = 4000, 50_000


@dataclass(frozen=True)
class Parsed:
    """A parsed JSON value, or the problem that prevented parsing."""

    value: Any = None
    problem: str | None = None


class Schema:
    """A compiled JSON schema. References to other documents are never fetched.

    `problem` says why a schema cannot be used: whatever it is applied to is unscored.
    """

    def __init__(self, schema: dict[str, Any], problem: str | None = None) -> None:
        from referencing import Registry  # noqa: PLC0415 - imported late: only some criteria need it

        # The version of a schema without formats is that of before formats were checked.
        self.version = hash_of(
            schema, *filter(None, (problem, schema_formats.RULES if names_a_format(schema) else None))
        )
        self.problem = problem
        self._given = schema
        self._validator = validator_for(schema)(
            schema, registry=Registry(), format_checker=schema_formats.format_checker()
        )

    def __reduce__(self) -> tuple[type["Schema"], tuple[dict[str, Any], str | None]]:
        """Another process compiles it again."""
        return Schema, (self._given, self.problem)

    def first_violation(self, value: Any) -> str | None:
        """`path: message` of the first violation; None if the value is valid.

        Raises referencing's Unresolvable for a reference that cannot be resolved, and TimeLimitError for a pattern
        that takes too long.
        """
        errors = sorted(self._validator.iter_errors(value), key=lambda found: (found.json_path, found.message))
        return f"{errors[0].json_path}: {errors[0].message}" if errors else None


class UnusableError(ConfigError):
    """A file that a single criterion rests on cannot be used. It stops that criterion only."""


def load_schema(path: Path) -> Schema:
    """Read a JSON schema; the wrappers in which OpenAI's API takes one are removed.

    Raises UnusableError if there is no such file, or if it is not JSON, is not a valid schema, or accepts everything.
    """
    from jsonschema import SchemaError  # noqa: PLC0415 - imported late: only some criteria need it

    schema = unwrapped(_read(path))
    if not isinstance(schema, dict):
        raise UnusableError(f"{path}: a JSON schema must be an object, found {type(schema).__name__}")
    try:
        validator_for(schema).check_schema(schema, format_checker=pattern_checker())
    except SchemaError as error:
        cause = f"{error.cause}" if error.cause else error.message
        raise UnusableError(f"{path}: not a valid JSON schema: {error.json_path}: {cause}") from None
    if not constrains(schema):
        raise UnusableError(
            f"{path}: every JSON value is valid under this schema; give it `type`, `required` or the like"
        )
    return Schema(schema)


def _read(path: Path) -> Any:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnusableError(f"{path}: cannot be read ({error.strerror}); write the JSON schema there") from None
    if not content.strip():
        raise UnusableError(f"{path}: is empty; write the JSON schema there")
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise UnusableError(f"{path}: is not JSON ({error}); correct it") from None


def load_or_report(path: Path, where: str) -> Schema:
    """As `load_schema`, but a schema that cannot be used is one with a `problem`, which is also logged.

    `where` names what the schema belongs to.
    """
    try:
        return load_schema(path)
    except UnusableError as error:
        log.warning("%s: %s. Until then no answer is checked by it", where, error)
        return Schema({}, str(error))


def parse_json(text: str) -> Parsed:
    """Parse a whole text as JSON (RFC 8259, without NaN and Infinity). A byte order mark before it is left out."""
    try:
        return Parsed(json.loads(text.lstrip("\ufeff"), parse_int=_integer, parse_constant=_refuse))
    except RecursionError:
        return Parsed(problem="nested too deeply")
    except ValueError as error:
        return Parsed(problem=str(error))


def _integer(digits: str) -> int | float:
    """An integer of any length: Python reads some thousand digits only, and the rest of the world has doubles."""
    if len(digits) <= _PYTHONS_DIGITS:
        return int(digits)
    return int(Decimal(digits)) if len(digits) <= _MOST_DIGITS else float(digits)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def hash_of(*parts: object) -> str:
    """Twelve hex digits of the SHA-256 of the parts' canonical JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:12]

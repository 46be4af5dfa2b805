"""JSON and JSON schemas: reading, checking, and the hashes that name versions."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.errors import ConfigError


@dataclass(frozen=True)
class Parsed:
    """A parsed JSON value, or the problem that prevented parsing."""

    value: Any = None
    problem: str | None = None


class Schema:
    """A compiled JSON schema. References to other documents are never fetched."""

    def __init__(self, schema: dict[str, Any]) -> None:
        from jsonschema.validators import validator_for  # noqa: PLC0415 - imported late: only some criteria need it
        from referencing import Registry  # noqa: PLC0415 - as above

        self.version = hash_of(schema)
        self._validator = validator_for(schema)(schema, registry=Registry())

    def first_violation(self, value: Any) -> str | None:
        """`path: message` of the first violation; None if the value is valid.

        Raises referencing's Unresolvable for a reference that cannot be resolved.
        """
        errors = sorted(self._validator.iter_errors(value), key=lambda found: (found.json_path, found.message))
        return f"{errors[0].json_path}: {errors[0].message}" if errors else None


def load_schema(path: Path) -> Schema:
    """Read a JSON schema. Raises ConfigError if the file is not JSON or not a valid schema."""
    from jsonschema import SchemaError  # noqa: PLC0415 - imported late: only some criteria need it
    from jsonschema.validators import validator_for  # noqa: PLC0415 - as above

    try:
        schema = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as JSON: {error}") from None
    if not isinstance(schema, dict):
        raise ConfigError(f"{path}: a JSON schema must be an object, found {type(schema).__name__}")
    try:
        validator_for(schema).check_schema(schema)
    except SchemaError as error:
        raise ConfigError(f"{path}: not a valid JSON schema: {error.json_path}: {error.message}") from None
    return Schema(schema)


def parse_json(text: str) -> Parsed:
    """Parse a whole text as JSON (RFC 8259, without NaN and Infinity). A byte order mark before it is left out."""
    try:
        return Parsed(json.loads(text.lstrip("\ufeff"), parse_constant=_refuse))
    except RecursionError:
        return Parsed(problem="nested too deeply")
    except ValueError as error:
        return Parsed(problem=str(error))


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def hash_of(*parts: object) -> str:
    """Twelve hex digits of the SHA-256 of the parts' canonical JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:12]

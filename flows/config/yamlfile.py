"""A user's YAML file as plain values, with `${NAME}` taken from the environment.

Does not belong here: what the keys mean (the models that the values are validated against) and the wording of a
validation's problems (`problems.py`).
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from flows.errors import ConfigError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read_yaml(path: Path) -> Any:
    """The values of a YAML file. Raises ConfigError where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {_reason(error)}; it must be a readable UTF-8 file") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not valid YAML{_what_and_where(error)}") from None


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _what_and_where(error: yaml.YAMLError) -> str:
    """What PyYAML says without the lines that it quotes: they may contain a key."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    problem = re.sub(r"'[^']{2,}'|\"[^\"]{2,}\"", "'***'", str(problem)) if problem else ""
    return (f": {problem}" if problem else "") + (f", line {mark.line + 1}, column {mark.column + 1}" if mark else "")


def expand(value: Any, path: Path, environment: Mapping[str, str] | None = None, where: tuple[str, ...] = ()) -> Any:
    """`value` with `${NAME}` in its texts taken from `environment` (default: the process's).

    Raises ConfigError for a variable that is not set, with the key that uses it.
    """
    known = os.environ if environment is None else environment
    if isinstance(value, dict):
        return {key: expand(item, path, known, (*where, str(key))) for key, item in value.items()}
    if isinstance(value, list):
        return [expand(item, path, known, (*where, str(n))) for n, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def look_up(match: re.Match[str]) -> str:
        if match[1] not in known:
            raise ConfigError(f"{path}: {'.'.join(where)}: the environment variable {match[1]} is not set; set it")
        return known[match[1]]

    return _VARIABLE.sub(look_up, value)

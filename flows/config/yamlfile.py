"""A user's YAML file as plain values, and what is wrong with it in one line.

Belongs here: reading, `${NAME}`, and the wording of a validation's first problem. What the keys mean is said by
the models that the values are validated against.
"""

import difflib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from flows.errors import ConfigError

KeysAt = Callable[[tuple[int | str, ...]], Sequence[str]]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def read_yaml(path: Path) -> Any:
    """The values of a YAML file. Raises ConfigError where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: no valid YAML{_what_and_where(error)}") from None


def _what_and_where(error: yaml.YAMLError) -> str:
    """What PyYAML says without the lines that it quotes, for a key may stand in them."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    return (f": {problem}" if problem else "") + (f", line {mark.line + 1}, column {mark.column + 1}" if mark else "")


def expand(value: Any, path: Path, environment: Mapping[str, str] | None = None, where: tuple[str, ...] = ()) -> Any:
    """`value` with `${NAME}` in its texts taken from `environment` (default: the process's).

    Raises ConfigError for a variable that is not set, with the key that wants it.
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
            raise ConfigError(f"{path}: {'.'.join(where)}: the environment variable {match[1]} is not set")
        return known[match[1]]

    return _VARIABLE.sub(look_up, value)


def first_problem(error: ValidationError, raw: Any, keys_at: KeysAt) -> str:
    """The first problem of a validation as `key: what, how to mend it`.

    `raw` is what stands in the file, before `expand`: no secret of the environment is shown. `keys_at` gives the keys
    that are known in the section at a path.
    """
    problem = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        *parents, key = problem["loc"]
        known = keys_at(tuple(parents))
        nearest = difflib.get_close_matches(str(key), known, n=1, cutoff=0)
        section = f" in `{'.'.join(str(part) for part in parents)}`" if parents else ""
        return f"unknown key `{key}`{section}; did you mean `{nearest[0]}`?" if nearest else f"unknown key `{where}`"
    if problem["type"] == "missing":
        return f"the key `{where}` is missing"
    message = problem["msg"].removeprefix("Value error, ")
    found = _value_at(raw, problem["loc"])
    nearest = difflib.get_close_matches(str(found), re.findall(r"'([^']*)'", problem["msg"]), n=1)
    hint = f"; did you mean {nearest[0]!r}?" if problem["type"] == "literal_error" and nearest else ""
    return f"`{where}`: {message[0].lower() + message[1:]}{_shown(found, problem['loc'])}{hint}"


def _shown(found: Any, where: tuple[int | str, ...]) -> str:
    """A value as it may be shown: no key or address, and nothing in which one could stand."""
    if isinstance(found, dict | list) or {"api_key", "url", "storage", "user_key_secret"} & set(where):
        return ""
    return f", found {found!r}"


def _value_at(raw: Any, where: tuple[int | str, ...]) -> Any:
    for part in where:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            return raw
    return raw


def nearest_name(name: str, known: Sequence[str]) -> str:
    """The hint of an error about a name that is not known."""
    found = difflib.get_close_matches(name, known, n=1, cutoff=0)
    return f"did you mean {found[0]!r}?" if found else "there are none"

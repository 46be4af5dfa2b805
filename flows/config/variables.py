"""`${NAME}` in genchi.yaml: taken from the environment, and what to do where a variable is not set.

An unset variable stops only what needs it: `OPENAI_API_KEY` the evaluation, and not the reading of logs; a variable of
one source that source, and not the others. Until then the value keeps its `${NAME}`. `_LATE` lists the keys that may
wait; all others are needed by every command.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from flows.errors import ConfigError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_LATE = re.compile(
    r"sources\.\d+\.(path|dsn|query|api\.(public_key|secret_key|key|project))|user_key_secret"
    r"|embedding\.(model|api_key|api_base|args\..+)"
    r"|alerts\.\d+\.(url|block|args\..+)"
    r"|ping\.url|review\.password"
    r"|models\.(pinned|candidates\.\d+|judge)\.(model|name|api_key|api_base|params\..+)"
)


class UnsetVariableError(ConfigError):
    """A variable that is needed now is not set. In a night it stops one stage, and not the others."""


def expand(value: Any, path: Path, environment: Mapping[str, str] | None = None, where: tuple[str, ...] = ()) -> Any:
    """`value` with `${NAME}` in its texts taken from `environment` (default: the process's).

    Raises UnsetVariableError, with the key that uses it, for a variable that is not set and that everything needs.
    """
    known = os.environ if environment is None else environment
    if isinstance(value, dict):
        return {key: expand(item, path, known, (*where, str(key))) for key, item in value.items()}
    if isinstance(value, list):
        return [expand(item, path, known, (*where, str(n))) for n, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def look_up(match: re.Match[str]) -> str:
        key = ".".join(where)
        if match[1] not in known and not _LATE.fullmatch(key):
            raise UnsetVariableError(f"{path}: {key}: {not_set(match[1])}")
        return known.get(match[1], match[0])

    return _VARIABLE.sub(look_up, value)


def not_set(name: str, purpose: str = "") -> str:
    """What is wrong where a variable is not set; `purpose` is what needs it, as a subject: "evaluation"."""
    needed = f"{purpose} needs it: " if purpose else ""
    return f"the environment variable {name} is not set; {needed}set it"


def unset_variables(value: Any) -> list[str]:
    """The names of the variables that the texts of a section still wait for, each once."""
    return list(dict.fromkeys(name for _, name in _waiting(value, ())))


def why_not_sent(model: BaseModel) -> str | None:
    """Why no request can be sent to a model: one of its variables is not set. None if they all are."""
    unset = unset_variables(model)
    return f"not sent: {not_set(unset[0])}" if unset else None


def require_variables(path: Path, purpose: str, **sections: Any) -> None:
    """Raise UnsetVariableError if a variable that one of these sections uses is not set.

    `path` is the configuration, `purpose` what needs the sections, as a subject: "evaluation".
    """
    for where, name in _waiting(sections, ()):
        key = ".".join(where)
        raise UnsetVariableError(f"{path}: {key}: {not_set(name, purpose)}")


def _waiting(value: Any, where: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The places of texts with an unset variable, and its name."""
    if isinstance(value, BaseModel):
        value = dict(value)
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _waiting(item, (*where, str(key)))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _waiting(item, (*where, str(number)))
    elif isinstance(value, str):
        for match in _VARIABLE.finditer(value):
            yield where, match[1]

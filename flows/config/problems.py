"""What is wrong with a user's YAML, in one line: the first problem of a validation, and the nearest known name.

One author for genchi.yaml, criteria files and arguments of the command line.
"""

import difflib
import re
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

_LONGEST_SHOWN, _LONGEST_WORD = 80, 24


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """The hint of an error about an unknown name: the nearest known one, or that there are none."""
    nearest = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0)
    return f"did you mean `{nearest[0]}`?" if nearest else "there are none"


def first_problem(
    error: ValidationError, raw: Any, section: type[BaseModel], hidden: frozenset[str] = frozenset()
) -> str:
    """The first problem of a validation as `key: what, how to fix it`.

    `raw` is what the file says, before environment variables are expanded: no secret is shown. `section` is the model
    that it was validated against, `hidden` are its fields that a file cannot set.
    """
    problem = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    path = problem["loc"]
    where = ".".join(str(part) for part in path)
    if problem["type"] == "extra_forbidden":
        *parents, key = path
        inside = f" in `{'.'.join(str(part) for part in parents)}`" if parents else ""
        known = [name for name in _keys_at(section, parents) if parents or name not in hidden]
        return f"unknown key `{key if is_showable(key) else '***'}`{inside}; {did_you_mean(key, known)}"
    if problem["type"] == "missing":
        return f"the key `{where}` is missing"
    message = problem["msg"].removeprefix("Value error, ")
    message = _without_value(message[0].lower() + message[1:], problem.get("input"))
    if not path:
        return message
    found = _value_at(raw, path)
    nearest = difflib.get_close_matches(str(found), re.findall(r"'([^']*)'", problem["msg"]), n=1)
    hint = f"; did you mean `{nearest[0]}`?" if problem["type"] == "literal_error" and nearest else ""
    return f"`{where}`: {message}{_shown(found, path)}{hint}"


def _keys_at(section: type[BaseModel], parents: Iterable[int | str]) -> list[str]:
    """The keys of the section at a path; keys of mappings and places in lists lead to what they hold."""
    kind: Any = section
    for part in parents:
        fields = kind.model_fields if _is_section(kind) else {}
        kind = _section_in(fields[part].annotation) if part in fields else kind
    return [field.alias or name for name, field in kind.model_fields.items()]


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _section_in(annotation: Any) -> Any:
    """The section that a field holds, alone, or in a list, a mapping or an option."""
    if _is_section(annotation):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_in(part)) is not None), None)


def _shown(found: Any, where: tuple[int | str, ...]) -> str:
    """A value for a message. No key or address is shown, nor anything that may contain one, wherever it stands."""
    is_secret = {"api_key", "url", "storage", "user_key_secret", "dsn", "api_base", "api", "args"} & set(where)
    return f", found {found!r}" if is_showable(found) and not is_secret else ""


def is_showable(found: Any) -> bool:
    """Whether a value is a number, a word, a path or a pattern: a secret in the wrong place is none of them.

    A secret has a long run of letters with digits, or of mixed case, or stands in an address or behind a colon.
    """
    if isinstance(found, dict | list):
        return False
    text = str(found)
    if "://" in text or "@" in text or len(text) > _LONGEST_SHOWN:
        return False
    runs = re.findall(r"[A-Za-z0-9+/=!#$%^&*]{8,}", re.sub(r"[/\\]", " ", text))
    return not any(re.search(r"\d", run) and re.search(r"[A-Za-z]", run) for run in runs) and not any(
        len(run) >= _LONGEST_WORD for run in runs
    )


def _without_value(message: str, given: Any) -> str:
    """A message without the value that it is about and without anything in quotes, where that may be a secret."""
    if not is_showable(given) and str(given):
        message = message.replace(repr(given), "the value").replace(str(given), "the value")
    return re.sub(r"'([^']*)'|`([^`]*)`", lambda one: one[0] if is_showable(one[0][1:-1]) else "***", message)


def _value_at(raw: Any, where: tuple[int | str, ...]) -> Any:
    for part in where:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            return raw
    return raw

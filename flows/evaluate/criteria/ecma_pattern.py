"""Patterns of JSON schemas, which are those of ECMA-262 with Unicode, for the engine of `time_limit`. Pure.

The differences: \\d and \\w are ASCII, `$` is the very end, and there are \\u{...}, \\cX, \\k<name>, [] and [^].
"""

import re

from flows.evaluate.criteria import time_limit

_TOKEN = re.compile(
    r"\\u\{(?P<code>[0-9A-Fa-f]{1,6})\}|\\c(?P<control>[A-Za-z])|\\k<(?P<name>\w+)>|\\(?P<escape>.)"
    r"|(?P<whole>\[\^?\])|(?P<opens>\[\^?)|(?P<closes>\])|(?P<end>\$)",
    re.DOTALL,
)
_OUTSIDE = {"[^]": r"[\s\S]", "[]": "(?!)", "$": r"\Z"}
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_"}


def translated(pattern: str) -> str:
    """The pattern in the engine's syntax. Raises ValueError if it is not a valid pattern."""
    parts, place, in_class = [], 0, False
    for found in _TOKEN.finditer(pattern):
        parts.append(pattern[place : found.start()])
        parts.append(_translate(found, in_class))
        place = found.end()
        in_class = (in_class or found["opens"] is not None) and not (found["closes"] or found["whole"])
    result = "".join([*parts, pattern[place:]])
    try:
        time_limit.compile_pattern(result)
    except (time_limit.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{pattern!r} is not a valid pattern: {error}") from None
    return result


def _translate(found: re.Match[str], in_class: bool) -> str:
    if found["code"]:
        return f"\\U{int(found['code'], 16):08x}"
    if found["control"]:
        return f"\\x{ord(found['control']) % 32:02x}"
    if found["name"]:
        return f"(?P={found['name']})"
    if found["escape"] is not None:
        return _of_escape(found["escape"], in_class)
    return found[0].replace("[", r"\[") if in_class else _OUTSIDE.get(found[0], found[0])


def _of_escape(escape: str, in_class: bool) -> str:
    if (members := _CLASSES.get(escape.lower())) is None:
        return f"\\{escape}"
    if escape.islower():
        return members if in_class else f"[{members}]"
    return f"\\{escape}" if in_class else f"[^{members}]"

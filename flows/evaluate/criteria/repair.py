"""Repair the format of answers, to tell a wrong format from a wrong answer. Pure.

An answer is repaired only if the result is unambiguous: one code fence, with or without prose around it, and for JSON
one object or list in prose, or trailing commas. Everything else is returned unchanged. The time is linear in the length
of any text.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flows.evaluate.criteria.json_schema import hash_of, parse_json

FENCE, PROSE, COMMA = "code fence", "prose around it", "trailing comma"
RULES = hash_of("one code fence; one JSON value in prose; trailing commas", 1)

_MARKS = ("```", "~~~")
_FENCE_LINE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*([^`~\r]*)\r?\Z")
_ON_ONE_LINE = re.compile(r"```(?:json\b)?([^`\n]*)```\Z")
_STRING_OR_COMMA = re.compile(r'"(?:[^"\\]|\\.)*"?|,(?=\s*[\]}])', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


@dataclass(frozen=True)
class Repaired:
    """The repaired text, and what was removed; `repairs` is empty if the text is unchanged."""

    text: str
    repairs: tuple[str, ...] = ()


def repair_text(text: str) -> Repaired:
    """The content of the only code fence of a text. An unclosed fence, or several fences, are left unchanged."""
    if not any(mark in text for mark in _MARKS):
        return Repaired(text)
    if on_one_line := _ON_ONE_LINE.match(text.strip()):
        return Repaired(on_one_line[1].strip(), (FENCE,))
    lines = text.split("\n")
    marks = [(place, line) for place, line in enumerate(lines) if line.lstrip().startswith(_MARKS)]
    fences = [(place, _FENCE_LINE.match(line)) for place, line in marks]
    if len(fences) != 2 or not all(fence for _, fence in fences):
        return Repaired(text)
    (first, opening), (last, closing) = fences
    assert opening is not None
    assert closing is not None
    if closing[2].strip() or not closing[1].startswith(opening[1]):
        return Repaired(text)
    has_prose = any(line.strip() for line in (*lines[:first], *lines[last + 1 :]))
    return Repaired("\n".join(lines[first + 1 : last]), (FENCE, PROSE) if has_prose else (FENCE,))


def repair_json(text: str) -> Repaired:
    """The JSON in a text, without code fence, prose or trailing commas.

    If no repair gives valid JSON, the result of `repair_text` is returned.
    """
    if parse_json(text).problem is None:
        return Repaired(text)
    bare = repair_text(text)
    steps: tuple[Callable[[str], Repaired], ...] = (Repaired, _without_commas, _out_of_prose, _out_of_both)
    for step in steps:
        found = step(bare.text)
        if parse_json(found.text).problem is None:
            return Repaired(found.text, tuple(dict.fromkeys((*bare.repairs, *found.repairs))))
    return bare


def _without_commas(text: str) -> Repaired:
    bare = _STRING_OR_COMMA.sub(lambda match: "" if match[0] == "," else match[0], text)
    return Repaired(bare, (COMMA,) if bare != text else ())


def _out_of_both(text: str) -> Repaired:
    repaired = _without_commas(text)
    found = _out_of_prose(repaired.text)
    return Repaired(found.text, (*found.repairs, *repaired.repairs))


def _out_of_prose(text: str) -> Repaired:
    """The only JSON object or list in a text; unchanged if brackets remain outside of it."""
    opening = _BRACKET.search(text)
    if opening is None:
        return Repaired(text)
    try:
        _, end = _DECODER.raw_decode(text, opening.start())
    except (ValueError, RecursionError):
        return Repaired(text)
    value, rest = text[opening.start() : end], text[end:]
    return Repaired(text) if _BRACKET.search(rest) else Repaired(value, (PROSE,))


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)

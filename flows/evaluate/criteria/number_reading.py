"""The first number of a text, read as a whole with its sign and separators, or not at all. Pure.

Digits may be grouped by commas, points, spaces, apostrophes or underscores. A single comma or point is a decimal one,
but for a comma before exactly three digits (1,234), which groups as in English. A hyphen within a word is no sign.
"""

import re

from flows.evaluate.criteria.folding import visible

RULES = "signs; grouped digits; decimal commas; a number as a whole or not at all"

_PLAIN = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe58\ufe63\uff0d", "-")
    | dict.fromkeys("\u2019\u2018\u02bc\u00b4`", "'")
    | {"\uff0b": "+", "\uff0c": ",", "\uff0e": ".", "\u066b": ".", "\u066c": ","}
)
_CANDIDATE = re.compile(
    r"(?P<before>(?<!\w)[-+](?:[$€£¥] ?)?)?"
    r"(?P<body>\d(?:[\d.,'_]|(?<=\d) (?=\d{3}(?!\d)))*|(?<![\w.])\.\d+)"
    r"(?P<exponent>[eE][-+]?\d+)?"
    r"|(?P<word>[^\W\d_]+-)"
)
_GROUPED = re.compile(r"\d{1,3}(?:([,.' _])\d{3})(?:\1\d{3})*")
_INDIAN = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}")


def first_number(text: str) -> float | None:
    """The first number of a text, or None if there is none or it cannot be read as a whole."""
    for found in _CANDIDATE.finditer(visible(text).translate(_PLAIN)):
        if found["word"]:
            continue
        body = found["body"].rstrip(".,'_")
        digits = _digits(body)
        if digits is None:
            return None
        sign = "-" if (found["before"] or "").startswith("-") else ""
        exponent = found["exponent"] if body == found["body"] else None
        return float(sign + digits + (exponent or ""))
    return None


def _digits(body: str) -> str | None:
    """The number as Python writes it, without its sign; None if the separators make no number."""
    integer, mark, decimals = _split(body)
    if not decimals.isdigit() and mark:
        return None
    if not integer.isdigit():
        if integer and not (_GROUPED.fullmatch(integer) or _INDIAN.fullmatch(integer) or _is_underscored(integer)):
            return None
        integer = re.sub(r"[,.' _]", "", integer) or "0"
    return f"{integer}.{decimals}" if mark else integer


def _split(body: str) -> tuple[str, str, str]:
    """The integer part, the decimal mark and the decimals."""
    if "," in body and "." in body:
        mark = max(",.", key=body.rfind)
        return body.rpartition(mark) if body.count(mark) == 1 else (body, "", "")
    for mark in (".", ","):
        if body.count(mark) == 1:
            integer, _, decimals = body.partition(mark)
            groups = mark == "," and len(decimals) == 3 and integer.isdigit() and 1 <= len(integer) <= 3
            return (body, "", "") if groups and integer != "0" else (integer, mark, decimals)
    return body, "", ""


def _is_underscored(integer: str) -> bool:
    return re.fullmatch(r"\d+(?:_\d+)+", integer) is not None

"""The first number of a text, read as a whole with its sign and separators, or not at all. Pure.

Digits may be grouped by commas, points, spaces, apostrophes or underscores. A single comma or point is a decimal one,
but for a comma before exactly three digits (1,234), which groups as in English. A hyphen within a word is no sign.
A fraction (3/4) and a power (10^6, 1.5 * 10^6) are their values. Dates, times, ratios and ranges (5-7) are no numbers,
nor is what has another base (0x1f).
"""

import math
import re
import unicodedata

from flows.evaluate.criteria.folding import visible

RULES = "signs; grouped digits; decimal commas; fractions; powers; finite; base 10; a number as a whole or not at all"

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
_TIMES = re.compile(r" ?(?:[\u00d7x*\u00b7]|\\times|\\cdot) ?10(?:\^\{?|\*\*)(?P<power>[-+]?\d{1,3})(?!\d)\}?")
_POWER = re.compile(r"(?:\^\{?|\*\*)(?P<power>[-+]?\d{1,3})(?!\d)\}?")
_OVER = re.compile(r" ?[/\u2044] ?(?P<below>\d{1,15})(?![\d.,/]\d|\d)")
_GOES_ON = re.compile(r"[/:^]\d| ?-\d| - \d")
_BASE = re.compile(r"[xX][0-9a-fA-F]|[oO][0-7]|[bB][01]")  # behind the 0 of another base
_SUPERSCRIPT = re.compile(r"(?<=\d)[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_SUPERSCRIPTS = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
_GROUPED = re.compile(r"\d{1,3}(?:([,.' _])\d{3})(?:\1\d{3})*")
_INDIAN = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}")


def first_number(text: str) -> float | None:
    """The first number of a text, or None if there is none or it cannot be read as a whole."""
    plain = _SUPERSCRIPT.sub(lambda found: f"^{found[0].translate(_SUPERSCRIPTS)}", visible(text).translate(_PLAIN))
    for found in _CANDIDATE.finditer(plain):
        if found["word"]:
            continue
        body = found["body"].rstrip(".,'_")
        digits = _digits(body)
        if digits is None:
            return None
        sign = "-" if (found["before"] or "").startswith("-") else ""
        if body != found["body"]:  # the sign behind it ends a sentence
            return _finite(float(sign + digits))
        return _as_it_goes_on(float(sign + digits + (found["exponent"] or "")), plain, found.end())
    return None


def _as_it_goes_on(number: float, text: str, end: int) -> float | None:
    """The value of a number with what stands right behind it: a fraction, a power, a vulgar fraction such as ½."""
    if times := _TIMES.match(text, end):
        return _finite(number * 10.0 ** int(times["power"]))
    if power := _POWER.match(text, end):
        return _power(number, int(power["power"]))
    if over := _OVER.match(text, end):
        return _finite(number / int(over["below"])) if int(over["below"]) else None
    if _GOES_ON.match(text, end) or (text[end - 1] == "0" and number == 0 and _BASE.match(text, end)):
        return None
    if (part := _vulgar(text[end : end + 1])) is not None:
        return math.copysign(abs(number) + part, number)
    return _finite(number)


def _vulgar(character: str) -> float | None:
    value = unicodedata.numeric(character, None) if character else None
    return value if value is not None and 0 < value < 1 else None


def _power(base: float, power: int) -> float | None:
    try:
        return _finite(math.copysign(abs(base) ** power, base))
    except ArithmeticError:
        return None


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


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

"""What counts as the same text: case, surrounding space, Unicode forms and invisible characters do not. Pure."""

import unicodedata
from typing import Any

RULES = "NFC; no invisible characters; any space is a space; case and surrounding space do not count"

_INVISIBLE = ("Cf", "Cc")
_SPACES = ("Zs", "Zl", "Zp")


def fold(text: str) -> str:
    """A text as it is compared: NFC, without invisible characters (byte order marks, zero widths, soft hyphens, bidi
    marks and other controls), with plain spaces, without surrounding space, and with case folded.
    """
    if text.isascii() and text.isprintable():
        return text.strip().casefold()
    return unicodedata.normalize("NFC", visible(text).strip().casefold())


def visible(text: str) -> str:
    """A text in NFC, without invisible characters, with a plain space for every other space."""
    return "".join(filter(None, map(_plain, unicodedata.normalize("NFC", text))))


def is_blank(text: str) -> bool:
    """Whether a text has nothing but space and invisible characters."""
    bare = text.strip()
    if bare and "!" <= bare[0] <= "~":  # nearly every answer
        return False
    return not any(_plain(character).strip() for character in bare)


def _plain(character: str) -> str:
    if character in "\n\t\r":
        return character
    category = unicodedata.category(character)
    if category in _INVISIBLE:
        return ""
    return " " if category in _SPACES else character


def is_same_json(one: Any, other: Any) -> bool:
    """Whether two values are equal as JSON, with folded texts: 1 equals 1.0, but true does not equal 1."""
    pairs = [(one, other)]
    while pairs:
        one, other = pairs.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            first, second = _with_folded_keys(one), _with_folded_keys(other)
            if first.keys() != second.keys():
                return False
            pairs += ((first[key], second[key]) for key in first)
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            pairs += zip(one, other, strict=True)
        elif isinstance(one, str) and isinstance(other, str):
            if fold(one) != fold(other):
                return False
        elif isinstance(one, bool) is not isinstance(other, bool) or one != other:
            return False
    return True


def _with_folded_keys(value: dict[str, Any]) -> dict[str, Any]:
    """The object with folded keys; as it is where two keys would become one."""
    folded = {fold(key): item for key, item in value.items()}
    return folded if len(folded) == len(value) else value

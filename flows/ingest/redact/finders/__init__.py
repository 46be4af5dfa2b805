"""Patterns of personal data and keys: one or several finders for each kind.

A finder is a `core` pattern, which means the same in RE2 and Python, with further checks around and after it that only
Python can do. Each find contains a match of its core. So RE2 can search a whole column for the cores first, outside
the interpreter, without missing a find. Cores must not have anchors or look-around, and must also match a find in its
JSON spelling.

In doubt, order numbers, times and ids are kept; each module describes how.
"""

import re
from functools import cache

from flows.ingest.redact.finders import addresses, api_keys, bank_accounts, phones
from flows.ingest.redact.finders.finder import GAP, NARROW, WIDE, Finder, places_of_numbers
from flows.ingest.redact.finders.spellings import (
    ANY_GAP,
    SUSPECT_AT,
    SUSPECT_CHARACTERS,
    SUSPECT_NUMBER,
    folded,
    other_readings,
)

FINDERS: dict[str, tuple[Finder, ...]] = {
    "email": addresses.EMAIL,
    "iban": bank_accounts.IBAN,
    "card": bank_accounts.CARD,
    "ip": addresses.IP,
    "phone": phones.PHONE,
    "secret": api_keys.SECRET,
}

# The kinds of which other spellings are searched too.
ADDRESSES, NUMBERS = ("email",), ("phone", "card", "iban")

_COUNTED = 6
# A letter, digit or sign of a find that is written as an unnecessary JSON escape.
_ESCAPED = r"\\u00(?:2[0589bBdDeEfF]|3[0-9aAdD]|4[0-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])"


@cache
def rough_prefilter(kinds: frozenset[str]) -> str:
    """A coarser pattern for whole columns, before `prefilter`: it matches more texts, in a third of the time."""
    finders = [finder for kind in sorted(kinds) for finder in FINDERS[kind]]
    exact = [_beginning(finder) for finder in finders if not finder.rough]
    rough = sorted({finder.rough for finder in finders if finder.rough})
    return "|".join([*([_readied("|".join(exact))] if exact else []), *rough, *_spelled(kinds)])


@cache
def prefilter(kinds: frozenset[str]) -> str:
    """The pattern for RE2: every text with a find of one of the kinds has a match."""
    cores = [_beginning(finder) for kind in sorted(kinds) for finder in FINDERS[kind]]
    return "|".join([_readied("|".join(cores)), *_spelled(kinds)])


def _beginning(finder: Finder) -> str:
    return f"{finder.guard}{finder.lead}(?:{finder.core})"


def _spelled(kinds: frozenset[str]) -> list[str]:
    """What other spellings look like."""
    found = [_ESCAPED, SUSPECT_CHARACTERS]
    if kinds & set(ADDRESSES):
        found.append(SUSPECT_AT)
    if kinds & set(NUMBERS):
        found.append(SUSPECT_NUMBER)
    return found


def _readied(pattern: str) -> str:
    """For RE2: any gap within a number, and quantifiers that compile fast."""
    for gap in (GAP, NARROW, WIDE):
        pattern = pattern.replace(gap, ANY_GAP)
    return re.sub(r"(?<!\\x)\{([0-9]+)(,[0-9]*)?\}", _loosened, pattern.replace("?P<value>", ""))


def _loosened(count: re.Match[str]) -> str:
    """A quantifier that allows more than the exact one: RE2 needs ten times as long to compile exact ones."""
    least, most = int(count[1]), count[2]
    if most is None:
        return count[0] if least <= _COUNTED else f"{{{_COUNTED},}}"
    return {0: "*", 1: "+"}.get(least, f"{{{min(least, _COUNTED)},}}")


def is_find_across(kind: str, found: str, written: str) -> bool:
    """Whether a find that only appears when a broken line is joined is one. `written` is how the text has it.

    Numbers that stand below each other are mostly two: so only telephone numbers with a country code count.
    """
    if kind == "email":
        return addresses.is_joined_email(found) and ("\n" in written or addresses.is_spaced_email(found))
    return kind in ("card", "iban") or found.startswith("+")


__all__ = ["ADDRESSES", "NUMBERS", "folded", "is_find_across", "other_readings", "places_of_numbers"]

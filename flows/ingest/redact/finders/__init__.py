"""What personal data and keys look like: one finder, or a few, for each kind.

A finder is a `core` pattern, that both RE2 and Python read alike, with what Python alone can check around and after
it. Whatever a finder finds therefore holds a match of its core, so that RE2 may search a whole column for the cores
first, outside the interpreter, and no find is missed: cores must have no anchors and no look-around, and must match
a find as JSON writes it, too.

A kind errs in favour of order numbers, times and ids; each module says how.
"""

import re
from functools import cache

from flows.ingest.redact.finders import addresses, api_keys, bank_accounts, phones
from flows.ingest.redact.finders.finder import Finder, places_of_numbers

FINDERS: dict[str, tuple[Finder, ...]] = {
    "email": addresses.EMAIL,
    "iban": bank_accounts.IBAN,
    "card": bank_accounts.CARD,
    "ip": addresses.IP,
    "phone": phones.PHONE,
    "secret": api_keys.SECRET,
}

_COUNTED = 6
# A letter, digit or sign of a find that JSON writes as an escape, for no need.
_ESCAPED = r"\\u00(?:2[0589bBdDeEfF]|3[0-9aAdD]|4[0-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])"


@cache
def rough_prefilter(kinds: frozenset[str]) -> str:
    """The same for whole columns, of which it leaves few texts to `prefilter`: more match, in a third of the time."""
    finders = [finder for kind in sorted(kinds) for finder in FINDERS[kind]]
    exact = [f"{finder.guard}{finder.lead}(?:{finder.core})" for finder in finders if not finder.rough]
    rough = sorted({finder.rough for finder in finders if finder.rough})
    return "|".join([*([_readied("|".join(exact))] if exact else []), *rough, _ESCAPED])


@cache
def prefilter(kinds: frozenset[str]) -> str:
    """What RE2 is to look for: every text in which one of the kinds can be found holds a match."""
    cores = [f"{finder.guard}{finder.lead}(?:{finder.core})" for kind in sorted(kinds) for finder in FINDERS[kind]]
    return _readied("|".join([*cores, _ESCAPED]))


def _readied(pattern: str) -> str:
    return re.sub(r"(?<!\\x)\{([0-9]+)(,[0-9]*)?\}", _loosened, pattern.replace("?P<value>", ""))


def _loosened(count: re.Match[str]) -> str:
    """A count that allows for more than it did: RE2 needs ten times as long to make ready for the exact ones."""
    least, most = int(count[1]), count[2]
    if most is None:
        return count[0] if least <= _COUNTED else f"{{{_COUNTED},}}"
    return {0: "*", 1: "+"}.get(least, f"{{{min(least, _COUNTED)},}}")


__all__ = ["places_of_numbers"]

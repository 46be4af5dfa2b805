"""The finder class, and patterns that several kinds share: the spelling of numbers and their boundaries."""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

Spans = Iterator[tuple[int, int]]

# A space or sign within a number: plain, no-break, and as JSON writes them.
GAP = r"(?:[ ./()\x{a0}\x{2009}\x{202f}\x{2010}-\x{2013}-]|\\+/|\\+u00[aA]0|\\+u20(?:09|1[0-3]|2[fF]))"
NARROW = r"(?:[ \x{a0}\x{2009}\x{202f}\x{2010}\x{2011}-]|\\+u00[aA]0|\\+u20(?:09|10|11|2[fF]))"
# Also those between the groups of a card or an account: a point, a dash, the space of a form's fields.
WIDE = r"(?:[ .+_\x{a0}\x{2009}\x{202f}\x{2010}-\x{2014}-]|\\+u00[aA]0|\\+u20(?:09|1[0-4]|2[fF]))"
# The condition before a core for RE2, which has no look-around: never stricter than `before`.
WORD_GUARD = r"(?:^|[^A-Za-z0-9_]|\\[nrtbf]|\\u[0-9a-fA-F]{4})"
NUMBER_GUARD = r"(?:^|[^0-9]|\\u[0-9a-fA-F]{4})"
# The beginning of a word: also after an escape, in text that is almost JSON.
BEGIN = r"(?:(?<![A-Za-z0-9_])|(?<=\\[nrtbf]))"
NUMBER_BEGINS = r"(?:(?<![A-Za-z0-9_.])|(?<=\\[nrtbf]))"
ALONE = r"(?![0-9A-Za-z_]|[.-][0-9])"
NUMBER_ENDS = r"(?![0-9A-Za-z_]|\.[0-9])"
APART = r"(?:(?<![A-Za-z0-9_.-])|(?<=\\[nrtbf]))"
NO_COLON = r"(?:(?<![A-Za-z0-9_:])|(?<=\\[nrtbf]))"


@dataclass(frozen=True)
class Finder:
    """`core` as above; `finds_in` gives the parts of a match that are finds.

    `before` and `after` are look-around for Python; `guard` is the part of `before` that RE2 can test. `lead` is a
    pattern that must match before the core, with one of the `hints` in it. A core begins with a character or a class
    if possible, because Python then skips other characters quickly. `rough` is a pattern that matches in every find,
    and that RE2 runs faster than the core.

    The search takes linear time: a core has a greatest length, or a `head`, which is its beginning and has one. Of
    such a core only heads are searched for, and it is tried where `before` holds; it must not fail behind its head
    after more than a few characters.
    """

    core: str
    finds_in: Callable[[re.Match[str]], Spans]
    before: str = ""
    after: str = ""
    guard: str = ""
    lead: str = ""
    hints: tuple[str, ...] = ()
    rough: str = ""
    head: str = ""

    @property
    def needs_a_name(self) -> bool:
        """Whether the text before a match, such as the key of a JSON object, makes it a find."""
        return bool(self.lead) or "(?P<" in self.core

    def spans(self, text: str, begin: int = 0, end: int = sys.maxsize) -> Spans:
        """The spans of the finds between `begin` and `end`, in order."""
        pattern = compiled(f"(?:{self.core}){self.after}")
        search = compiled(self.head).search if self.head else pattern.search
        before = compiled(self.before)
        lead = compiled(f"{self.lead}\\Z") if self.lead else None
        first = _FIRST.match(self.core)
        if first and text.find(first[1], begin, end) < 0:
            return  # a plain search, because most texts have no `@` or `+` at all
        while match := search(text, begin, end):
            # No lead ends in a digit, so a lead is never inside a number.
            begin = match.start() + 1 if lead is None else match.end()
            if before.match(text, match.start()) and (lead is None or self._leads(text, match.start(), lead)):
                whole_match = pattern.match(text, match.start(), end) if self.head else match
                if whole_match:
                    begin = whole_match.end()
                    for span in self.finds_in(whole_match):
                        yield span
                        begin = max(begin, span[1])

    def _leads(self, text: str, begin: int, lead: re.Pattern[str]) -> bool:
        """Whether the required text is before `begin`; a pattern alone would be slow if it is not."""
        near = text[max(0, begin - 64) : begin].lower()
        return any(word in near for word in self.hints) and lead.search(near) is not None


_FIRST = re.compile(r"\\?([@%+])")


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern in RE2's spelling, as Python reads it."""
    return re.compile(re.sub(r"\\x\{([0-9a-f]+)\}", _as_python_has_it, pattern), re.ASCII)


def _as_python_has_it(character: re.Match[str]) -> str:
    return "\\u" + character[1].zfill(4)


def whole(match: re.Match[str]) -> Spans:
    """All of a match is a find."""
    yield match.span()


def parts(match: re.Match[str]) -> list[tuple[int, int]]:
    """The runs of letters and digits of a match, as positions in the text."""
    return [(match.start() + part.start(), match.start() + part.end())
            for part in re.finditer(r"(?:[A-Za-z0-9+](?<!\\u))+", without_escapes(match[0]))]  # fmt: skip


def without_escapes(text: str) -> str:
    """`\\u00a0` and `\\/` as spaces, as many as there were characters."""
    if "\\" not in text:
        return text
    return re.sub(r"\\+(?:u[0-9a-fA-F]{4}|/)", lambda match: " " * len(match[0]), text)


_is_digit = frozenset("0123456789").__contains__


def digits_of(text: str) -> str:
    return "".join(filter(_is_digit, without_escapes(text)))


# Every digit as 1, and all else as 0: a search for bytes is faster than a pattern.
_ONES = bytes(49 if chr(byte).isdigit() and byte < 128 else 48 for byte in range(256))
_APART_AT_MOST, _BESIDE = 20, 80


@lru_cache(64)
def places_of_numbers(text: str) -> list[tuple[int, int]]:
    """The spans of a text that can have a telephone number or a card: they have enough digits close together."""
    flat = text.encode("ascii", "replace").translate(_ONES)
    places, begin = [], flat.find(b"1")
    while begin >= 0:
        last = begin
        while (further := flat.rfind(b"1", last + 1, last + _APART_AT_MOST + 2)) >= 0:
            last = further
        if flat.count(b"1", begin, last + 1) >= 7:
            places.append((max(0, begin - 4), last + _BESIDE))
        begin = flat.find(b"1", last + 1)
    return places

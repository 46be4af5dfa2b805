"""Other spellings of a text: digits of other scripts, percent-encoding, entities, broken lines.

A `Reading` is a text as the finders search it, with the place of each of its characters in the text as it is written.
Belongs here: which spellings are known. Does not belong here: what a find is.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain

Piece = tuple[int, int, str]  # a part of the text, from and to, and what it stands for

# Invisible: zero width, joiners, marks of direction, soft hyphens.
INVISIBLE = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"


def _folds() -> dict[int, str]:
    """Single characters and what they stand for: digits, spaces and hyphens of Unicode, full-width ASCII.

    Only the blocks that have any are gone through.
    """
    found = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    for code in chain(range(0x80, 0x2070), (0x3000,), range(0xA620, 0xAC00), range(0x1D7CE, 0x1D800)):
        kind = unicodedata.category(chr(code))
        if kind == "Nd":
            found[code] = str(unicodedata.digit(chr(code)))
        elif kind == "Zs":
            found[code] = " "
        elif kind == "Pd" and code not in found:
            found[code] = "-"
    return found | {0x2212: "-", 0xFE6B: "@", 0xFF61: ".", 0xB7: " ", 0x30FB: " "}


_FOLDS = _folds()


def _ranges(codes: Iterable[int]) -> str:
    """Characters as ranges of a character class."""
    runs: list[list[int]] = []
    for code in sorted(codes):
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for first, last in runs)


_ODD = re.compile(f"[{''.join(map(chr, _FOLDS))}]")
# What RE2 looks for in a column: a digit or a full-width character, or an invisible one, also as JSON escapes it.
# Spaces and hyphens are not among them, because texts without numbers have them too.
_INVISIBLE_RANGES = r"\x{ad}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}\x{feff}"
_SUSPECT = [code for code, fold in _FOLDS.items() if fold not in (" ", "-")]
_ESCAPES = "|".join(sorted({f"{code >> 4:03x}" for code in _SUSPECT if code <= 0xFFFF}))
SUSPECT_CHARACTERS = (
    f"[{_ranges(_SUSPECT)}{_INVISIBLE_RANGES}]"
    rf"|\\u(?i:{_ESCAPES}|00ad|200[b-f]|202[a-e]|206|d835|feff)"
)
# A sign or a space of a number, percent-encoded or as an entity; an `@` in any spelling.
SUSPECT_NUMBER = r"%(?:25)*2|&(?:#|nbsp|plus)"
SUSPECT_AT = (
    r"@|\\u0040|%(?:25)*(?:u00)?40|=40|&(?:#|commat)|[\[({<] ?(?i:at|ät|@) ?[\])}>]"  # the escape of `@` in almost JSON
    r"| (?:at [^ ]+ dot|AT [^ ]+ DOT) |_at_[^ ]+_dot_"
)
# What may stand between the digits of a number, in any of these spellings; any character that is not ASCII, because
# RE2 is fast with few ranges.
ANY_GAP = r"(?:[ ./()+_\x{80}-\x{10ffff}-]|\\+/|\\+u(?:00[aA]0|20[0-6][0-9a-fA-F]|3000)|(?:\\+[nrt]|\s)+)"

# "at" and "dot" as words are only those of an address if what they make ends as most addresses do; a word that is the
# end of a country's addresses, such as "in" or "it", is a word.
_LABEL = r"[A-Za-z0-9-]{1,63}"
_SPELT_END = (
    r"(?i:com|org|net|edu|gov|info|io|dev|app|ai|uk|de|fr|nl|ch|jp|br|pl|ru|cn|eu|ca|au|se|dk|cz|kr|mx|nz)(?![\w-])"
)
_SPELT_DOT = r"(?: (?:dot|DOT) |_dot_)"
_NO_HOST = (
    r"(?!(?:the|th[ai]t|this|these|those|an?|my|our|your|his|her|their|its|some|any|each|every|which|what|one|all) )"
)
_SPELT_HOST = rf"{_NO_HOST}(?:{_LABEL}{_SPELT_DOT}){{1,4}}{_SPELT_END}"

_PERCENT = r"%(?:25)*2[0-46-9A-Fa-f]|&#(?:0*\d{2,4}|[xX]0*[0-9A-Fa-f]{2,4});|&(?:nbsp|plus);"
# Every alternative begins with a character of its own, so that Python skips all others quickly.
_IN_NUMBERS = re.compile(rf"{_PERCENT}|(?P<form>[+](?<=[0-9][+])(?=[0-9]))|[{INVISIBLE}]+")
_IN_ADDRESSES = re.compile(
    rf"{_PERCENT}|%(?:25)*(?:u00)?[0-7][0-9A-Fa-f]|(?:%(?:25)*[89A-Fa-f][0-9A-Fa-f])+|&(?:commat|period);|=(?:40|2E)"
    r"|(?P<at>[\[({<] ?(?i:at|ät|@) ?[\])}>])|(?P<dot>[\[({<] ?(?i:dot|punkt|point|punto|\.) ?[\])}>])"
    rf"|(?P<at_word> (?:at|AT) |_at_)(?={_SPELT_HOST})"
    rf"|(?P<dot_word> (?:dot|DOT) |_dot_)(?=(?:{_LABEL}{_SPELT_DOT}){{0,3}}{_SPELT_END})"
    r"|(?P<full_stop>。)(?=[A-Za-z]{2})"
    rf"|[{INVISIBLE}]+"
)
_SIGNS = (("at", "@"), ("at_word", "@"), ("dot", "."), ("dot_word", "."), ("full_stop", "."), ("form", " "))
_ENTITIES = {"&nbsp;": " ", "&plus;": "+", "&commat;": "@", "&period;": "."}

# A line break, or spaces around an `@`, within what may be one address or number.
_BREAK = r"[ \t>|]{0,8}(?:\r?\n[ \t>|]{0,8})?"
_BEFORE_AT = re.compile(rf"[\w\"](?P<gap>{_BREAK})\Z")
_AFTER_AT = re.compile(rf"(?P<gap>{_BREAK})[\w\[]")
_HOST_ENDS = re.compile(r"[\w.-]")
_HOST_GOES_ON = re.compile(r"[\w-]{1,62}\.[\w-]")
_DIGITS_GO_ON = re.compile(r"[0-9)](?P<gap>[ \t]{0,8}\r?\n[ \t]{0,8})(?=[0-9(])")


@dataclass(frozen=True)
class Reading:
    """`text` as it is searched. `pieces` are those parts of `source` that are spelled otherwise."""

    text: str
    source: str
    pieces: tuple[Piece, ...]
    is_joined: bool
    _begins: list[int] = field(repr=False)
    _ends: list[int] = field(repr=False)

    @classmethod
    def of(cls, text: str, pieces: Iterable[Piece], *, is_joined: bool = False) -> "Reading | None":
        """The reading of `text` with these parts replaced; None where there are none."""
        known = tuple(pieces)
        if not known:
            return None
        parts: list[str] = []
        begins, ends, length, copied = [], [], 0, 0
        for first, last, fold in known:
            length += first - copied
            begins.append(length)
            parts += [text[copied:first], fold]
            length += len(fold)
            ends.append(length)
            copied = last
        return cls("".join([*parts, text[copied:]]), text, known, is_joined, begins, ends)

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """A span of the reading as a span of the text."""
        return self._place(begin, is_end=False), self._place(end - 1, is_end=True)

    def crosses(self, begin: int, end: int) -> bool:
        """Whether a span of the reading has one of its pieces inside."""
        at = bisect_left(self._begins, begin)
        return at < len(self._begins) and self._begins[at] < end

    def written(self, begin: int, end: int) -> str:
        """How a span of the reading is written in the text that it was read from."""
        first, last = self.span(begin, end)
        return self.source[first:last]

    def _place(self, at: int, *, is_end: bool) -> int:
        number = bisect_right(self._begins, at) - 1
        if number < 0:
            return at + is_end
        first, last, _ = self.pieces[number]
        if at < self._ends[number]:
            return last if is_end else first
        return last + at - self._ends[number] + is_end


def folded(text: str) -> str:
    """`text` with plain digits, spaces, hyphens and ASCII, character by character."""
    return text if text.isascii() or not _ODD.search(text) else text.translate(_FOLDS)


@lru_cache(8)
def other_readings(plain: str, *, of_addresses: bool) -> tuple[Reading, ...]:
    """The readings of a folded text besides itself, as far as there is something to read otherwise."""
    found: list[Reading | None] = []
    signs = (*"%&=[({<", " dot ", " DOT ", "_dot_") if of_addresses else (*"%&+",)
    if not plain.isascii() or any(map(plain.__contains__, signs)):
        found.append(Reading.of(plain, _decoded(plain, _IN_ADDRESSES if of_addresses else _IN_NUMBERS)))
    if "@" in plain if of_addresses else "\n" in plain:
        pieces = sorted([*_around_at(plain), *_in_hosts(plain)]) if of_addresses else _between_digits(plain)
        found.append(Reading.of(plain, pieces, is_joined=True))
    return tuple(reading for reading in found if reading is not None)


def _decoded(text: str, pattern: re.Pattern[str]) -> Iterator[Piece]:
    done = 0
    for match in pattern.finditer(text):
        begin, end = match.span()
        if text[begin] in "[({<":  # an at or a dot in brackets, with the spaces around it
            begin -= begin > done and text[begin - 1] == " "
            end += text[end : end + 1] == " "
        yield begin, end, folded(_meaning(match))
        done = end


def _meaning(match: re.Match[str]) -> str:
    found, named = match[0], match.groupdict()
    for name, fold in _SIGNS:
        if named.get(name):
            return fold
    if found[0] == "%":
        return bytes.fromhex("".join(re.findall(r"%(?:25)*(?:u00)?([0-9A-Fa-f]{2})", found))).decode("utf-8", "replace")
    if found[0] == "=":
        return chr(int(found[1:], 16))
    if found[:2] == "&#":
        digits = found[2:-1]
        return chr(int(digits[1:], 16) if digits[0] in "xX" else int(digits))
    return _ENTITIES.get(found, "")


def _between_digits(text: str) -> Iterator[Piece]:
    for match in _DIGITS_GO_ON.finditer(text):
        yield *match.span("gap"), " "


def _around_at(text: str) -> Iterator[Piece]:
    """An `@` with spaces or a line break on one side or both."""
    at, done = text.find("@"), 0
    while at >= 0:
        after, before = _AFTER_AT.match(text, at + 1), _BEFORE_AT.search(text, max(done, at - 20), at)
        if before and after and before["gap"] + after["gap"]:
            done = after.end("gap")
            yield before.start("gap"), done, "@"
        at = text.find("@", at + 1)


def _in_hosts(text: str) -> Iterator[Piece]:
    """A line break in the name of a host, close behind an `@`."""
    at = text.find("\n")
    while at >= 0:
        last = at - (text[at - 1 : at] == "\r")
        is_near = text.rfind("@", max(0, at - 64), at) >= 0
        if is_near and _HOST_ENDS.match(text, last - 1) and _HOST_GOES_ON.match(text, at + 1):
            yield last, at + 1, ""
        at = text.find("\n", at + 1)


__all__ = [
    "ANY_GAP",
    "SUSPECT_AT",
    "SUSPECT_CHARACTERS",
    "SUSPECT_NUMBER",
    "Reading",
    "folded",
    "other_readings",
]

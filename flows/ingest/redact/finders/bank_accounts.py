"""Cards and bank accounts.

- card: the first digits, lengths and groups of the issuers, and the Luhn check.
- iban: the countries' structure, and modulo 97.
"""

import re
from functools import cache

from stdnum import iban, luhn, numdb

from flows.ingest.redact.finders.finder import (
    BEGIN,
    NUMBER_GUARD,
    WIDE,
    WORD_GUARD,
    Finder,
    Spans,
    without_escapes,
)

# The issuers' first digits and lengths: Visa, Mastercard, American Express, Diners Club, JCB, Discover and RuPay,
# UnionPay, Maestro, Mir.
_LONGEST = 19
_ISSUERS = re.compile(
    r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|095|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12,15}|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|62\d{14,17}"
    r"|(?:5[06-8]|6[0379])\d{14,17}|220[0-4]\d{12,15}"
)


def _is_grouped(sizes: list[int]) -> bool:
    """Whether digits are grouped as on cards: in one run, by fours, or as on American Express and Diners."""
    return len(sizes) == 1 or (set(sizes[:-1]) == {4} and sizes[-1] <= 4) or sizes in ([4, 6, 5], [4, 6, 4])


def _cards(match: re.Match[str]) -> Spans:
    """The groups of digits that together are a card; a date or a code may be next to it."""
    digits = re.finditer("[0-9]+", without_escapes(match[0]))
    groups = [(match.start() + group.start(), match.start() + group.end()) for group in digits]
    begin = 0
    while begin < len(groups):
        number, taken = "", 0
        for count, group in enumerate(groups[begin : begin + _LONGEST], 1):
            number += match.string[slice(*group)]
            if len(number) > _LONGEST:
                break
            sizes = [end - first for first, end in groups[begin : begin + count]]
            if _is_grouped(sizes) and _ISSUERS.fullmatch(number) and luhn.is_valid(number) and len(set(number)) > 1:
                taken = count
        if taken:
            yield groups[begin][0], groups[begin + taken - 1][1]
        begin += taken or 1


@cache
def _length_of(country: str) -> int:
    """The length of a country's accounts, its own two letters and the check digits included; 0 if it has none."""
    found = numdb.get("iban").info(country)
    return sum(map(int, re.findall(r"\d+", found[0][1].get("bban", "")))) + 4 if found and found[0][1] else 0


def _ibans(match: re.Match[str]) -> Spans:
    """As many characters of a match as an account of its country has; words may follow it."""
    written = without_escapes(match[0])
    places = [place for place, character in enumerate(written) if character.isalnum()]
    length = _length_of(written[:2].upper())
    if length and len(places) >= length:
        last = places[length - 1] + 1
        if iban.is_valid("".join(filter(str.isalnum, written[:last])), check_country=False):
            yield match.start(), match.start() + last


_COUNTRIES = (
    "AD|AE|AL|AT|AZ|BA|BE|BG|BH|BI|BR|BY|CH|CR|CY|CZ|DE|DJ|DK|DO|EE|EG|ES|FI|FK|FO|FR|GB|GE|GI|GL|GR|GT|HN|HR|HU|IE|IL"
    "|IQ|IS|IT|JO|KW|KZ|LB|LC|LI|LT|LU|LV|LY|MC|MD|ME|MK|MN|MR|MT|MU|NI|NL|NO|OM|PK|PL|PS|PT|QA|RO|RS|RU|SA|SC|SD|SE|SI"
    "|SK|SM|SO|ST|SV|TL|TN|TR|UA|VA|VG|XK|YE"
)

CARD = (
    Finder(
        rf"[2-6][0-9]{{3}}(?:{WIDE}{{0,3}}[0-9]){{10,}}",
        _cards,
        r"(?<![0-9])(?<![0-9]\.)",
        r"(?![0-9]|\.[0-9])",
        NUMBER_GUARD,
        head="[2-6]",
    ),
)
IBAN = (Finder(rf"(?i:{_COUNTRIES})[0-9]{{2}}(?:{WIDE}?[A-Za-z0-9]){{11,30}}", _ibans, BEGIN, guard=WORD_GUARD),)

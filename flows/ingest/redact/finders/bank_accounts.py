"""Cards and bank accounts.

- card: the first digits, lengths and groups of the issuers, and the Luhn check.
- iban: the countries' structure, and modulo 97.
"""

import re

from stdnum import iban, luhn

from flows.ingest.redact.finders.finder import (
    BEGIN,
    NARROW,
    NUMBER_GUARD,
    WORD_GUARD,
    Finder,
    Spans,
    parts,
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
    groups = parts(match)
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


def _ibans(match: re.Match[str]) -> Spans:
    """The longest prefix of a match that is an account; words may follow it."""
    begin = match.start()
    for end in range(match.end(), begin + 14, -1):
        if match.string[end - 1].isalnum():
            number = re.sub(r"[^A-Za-z0-9]", "", without_escapes(match.string[begin:end]))
            if 15 <= len(number) <= 34 and iban.is_valid(number, check_country=False):
                yield begin, end
                return


_COUNTRIES = (
    "AD|AE|AL|AT|AZ|BA|BE|BG|BH|BI|BR|BY|CH|CR|CY|CZ|DE|DJ|DK|DO|EE|EG|ES|FI|FK|FO|FR|GB|GE|GI|GL|GR|GT|HN|HR|HU|IE|IL"
    "|IQ|IS|IT|JO|KW|KZ|LB|LC|LI|LT|LU|LV|LY|MC|MD|ME|MK|MN|MR|MT|MU|NI|NL|NO|OM|PK|PL|PS|PT|QA|RO|RS|RU|SA|SC|SD|SE|SI"
    "|SK|SM|SO|ST|SV|TL|TN|TR|UA|VA|VG|XK|YE"
)

CARD = (
    Finder(
        rf"[2-6][0-9]{{3}}(?:{NARROW}?[0-9]){{10,}}",
        _cards,
        r"(?<![0-9])(?<![0-9]\.)",
        r"(?![0-9]|\.[0-9])",
        NUMBER_GUARD,
    ),
)
IBAN = (Finder(rf"(?i:{_COUNTRIES})[0-9]{{2}}(?:{NARROW}?[A-Za-z0-9]){{11,30}}", _ibans, BEGIN, guard=WORD_GUARD),)

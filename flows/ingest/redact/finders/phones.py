"""Telephone numbers: patterns, whose matches are checked by libphonenumber.

The patterns are a `+` with a country code, `00`, a leading 0 with separators, three-three-four digits as in America,
and a few of single countries. Ten or eleven digits in a row that begin with one 0 must be a mobile number in some
country. Other digits are a telephone number only after a word such as `phone`, or as the value of such a key. So order
numbers, dates, amounts and times are kept: national numbers have at least nine digits, do not go on before or behind
with further groups, and do not stand after a word such as `order` or `invoice`.
"""

import re
from functools import lru_cache

import phonenumbers

from flows.ingest.redact.finders.finder import (
    ALONE,
    APART,
    BEGIN,
    GAP,
    NARROW,
    NUMBER_BEGINS,
    NUMBER_ENDS,
    NUMBER_GUARD,
    WORD_GUARD,
    Finder,
    Spans,
    digits_of,
    parts,
    whole,
)


def _parsed(number: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None


@lru_cache(4096)
def _possible(number: str, region: str | None, *, valid: bool) -> bool:
    """Whether libphonenumber accepts it as a number: by the assigned ranges, or else by its length."""
    parsed = _parsed(number, region)
    if parsed is None:
        return False
    return (phonenumbers.is_valid_number if valid else phonenumbers.is_possible_number)(parsed)


_NUMBER_BEFORE = re.compile(r"[0-9)\]]\s\Z")
_DATE = re.compile(r"(?:19|20)[0-9]{2}[-./][0-9]{1,2}[-./][0-9]{1,2}")


def _international(match: re.Match[str]) -> Spans:
    """The longest run of groups that is an assigned number; else, after a plus, the longest with a valid length.

    A date or a time may follow it.
    """
    begin, has_plus = match.start(), match[0].startswith("+")
    if _is_sum(match):
        return
    # `+49 (0)30` has a zero that is not dialled; the zeros before a country code replace the plus.
    if has_plus and _is_plain(digits_of(match[0])) and not _DATE.search(match[0]):
        yield begin, match.end()
        return
    ends = [end for _, end in reversed(parts(match))]
    numbers = [digits_of(match.string[begin:end].replace("(0)", "")).removeprefix("00") for end in ends]
    for valid in (True, False) if has_plus else (True,):
        for end, number in zip(ends, numbers, strict=True):
            if len(number) >= 7 and _possible(f"+{number}", None, valid=valid):
                yield begin, end
                return


def _is_sum(match: re.Match[str]) -> bool:
    """Whether the plus is that of a calculation: a space on both sides, and a number before it."""
    return (
        re.match(r"\+\s", match[0]) is not None
        and _NUMBER_BEFORE.search(match.string, max(0, match.start() - 3), match.start()) is not None
    )


def _is_plain(number: str) -> bool:
    """Whether a country code and the rest have a valid length; cheaper than a test of all ranges."""
    if number.startswith("1"):
        return len(number) == 11
    codes = phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    return 10 <= len(number) <= 13 and (int(number[:2]) in codes or int(number[:3]) in codes)


# Countries with a leading zero in national numbers, and large countries that write their numbers without one.
_REGIONS = (
    *("DE", "GB", "FR", "IT", "NL", "BE", "AT", "CH", "JP", "AU", "IN", "SE", "FI", "IE", "ZA", "NZ", "KR", "CN"),
    *("TR", "UA", "RO", "ID", "TH", "MY", "PH", "VN", "IL", "EG", "BG", "HR", "RS", "SI", "SK", "BR", "AR"),
)


# The numbers of documents and things, right before them.
_NO_PHONE = re.compile(
    r"(?i:\b(?:order|commande|pedido|invoice|facture|ticket|rma|sku|article|serial|part|case|customer|parcel|tracking"
    r"|reference|ref|isbn|account|konto|bestell|bestellung|auftrag|rechnung|artikel|kunden|liefer|sendung|serien|vorgang"
    r"|vertrag)(?:s?[ -]?(?:nummer|number|no|nr|id))?|#|\b(?:id|po))[\s.:#=-]{0,3}\Z"
)


def _is_of_a_document(match: re.Match[str]) -> bool:
    return _NO_PHONE.search(match.string, max(0, match.start() - 28), match.start()) is not None


def _mobile(match: re.Match[str]) -> Spans:
    """Without separators only mobile numbers of some country, because order numbers can begin with a zero too."""
    if _is_of_a_document(match):
        return
    for region in _REGIONS[:12]:
        number = _parsed(match[0], region)
        if number and phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE:
            yield match.span()
            return


_NATIONAL = 9
_MODES = re.compile(r"0[0-7]{3}(?: 0[0-7]{3})+")  # of files, in octal digits


def _national(match: re.Match[str]) -> Spans:
    groups = parts(match)
    if _is_of_a_document(match) or _MODES.fullmatch(match[0]):
        return
    for last in range(len(groups), 1, -1):
        end = groups[last - 1][1]
        digits = digits_of(match.string[match.start() : end])
        if len(digits) >= _NATIONAL and any(_possible(digits, region, valid=True) for region in _REGIONS):
            yield match.start(), end
            return


def _american(match: re.Match[str]) -> Spans:
    if not re.fullmatch(r"\([0-9]{3}\) ?.*|[0-9]{3}[-. ].*", match[0]):
        return
    digits = digits_of(match[0])
    spaced = re.fullmatch(r"[0-9 ]+", match[0]) is not None  # like groups of thousands
    if _is_of_a_document(match):
        return
    if digits[0] in "23456789" and digits[3] in "23456789" and (not spaced or _possible(digits, "US", valid=True)):
        dialled = re.search(r"(?<![A-Za-z0-9_.-])1[ .-]\Z", match.string[max(0, match.start() - 3) : match.start()])
        yield match.start() - (2 if dialled else 0), match.end()


def _named(match: re.Match[str]) -> Spans:
    """After a word for telephone, any number of a telephone number's length that is not a date."""
    for _, end in reversed(parts(match)):
        written = match.string[match.start() : end]
        if 7 <= len(digits_of(written)) <= 15 and not re.match(r"(?:19|20)\d\d[-./]\d\d?[-./]\d\d?(?!\d)", written):
            yield match.start(), end
            return


_PHONE_WORDS = (
    "phone",
    "telefon",
    "téléphone",
    "teléfono",
    "mobil",
    "móvil",
    "celular",
    "cellular",
    "cellulare",
    "portable",
    "msisdn",
    *("komórk", "puhelin", "điện thoại", "telp"),
)
# They are the ends of other words, too: a hotel is no telephone.
_SHORT_PHONE_WORDS = ("tel", "tlf", "tfn", "cell", "fax", "gsm", "handy", "whatsapp", "cel", "fone", "mob", "sđt")
# In other scripts; with both cases of a first letter, because RE2 is slow if it has to fold them.
_OTHER_PHONE_WORDS = (
    "[тТ]ел",
    "[мМ]\u043e\u0431",
    "[τΤ]ηλ",
    "电话",
    "電話",
    "手机",
    "微信",
    "手機",
    "携帯",
    "전화",
    "هاتف",
    "جوال",
    "موبايل",
    "واتساب",
    "تلفن",
    "טלפון",
    "נייד",
    "फ़ोन",
    "โทร",
)
# Before a number that is written in groups; a call is also what a program makes.
_CALLING_WORDS = ("call", "ring", "dial", "sms", "reach", "anrufen", "ruf", "appel", "llám", "llame", "bel ")
_NUMBER_IS = r"number is|num[eé]ro es[t]?|nummer ist|meine nummer"


def _called(match: re.Match[str]) -> Spans:
    """After a word for calling, a number in groups of a telephone number's length."""
    for _, end in reversed(parts(match)):
        written = match.string[match.start() : end]
        if 9 <= len(digits_of(written)) <= 13 and len(written) > len(digits_of(written)) and not _DATE.match(written):
            yield match.start(), end
            return


# What may stand behind a number: that it is somebody's.
_IS_A_PHONE = (
    r" (?i:is|was|ist|est|es|é|è) (?i:my|our|his|her|their|the|mein|meine|mon|le|mi|el|meu|il mio)"
    r" (?:(?i:new|direct|personal|private|work|home|office|cell|mobile|contact|neue|best) ){0,2}"
    r"(?i:tele)?(?i:phone|number|cell|mobile|whatsapp|handy|nummer|handynummer|telefonnummer|num[eé]ro|tel[eé]fono|m[oó]vil)"
)
_IS_A_PHONE_NEXT = f"(?={_IS_A_PHONE})"


def _told(match: re.Match[str]) -> Spans:
    """A number of which a text says behind it that it is a telephone's."""
    if not _DATE.match(match[0]) and not _is_of_a_document(match):
        yield match.span()


# National numbers do not begin within other numbers.
_NATIONAL_BEGINS = NUMBER_BEGINS + r"(?<![0-9][ /-])"
_NATIONAL_ENDS = r"(?![0-9A-Za-z_]|[.-][0-9A-Za-z])"

PHONE = (
    Finder(rf"\+{GAP}?[1-9](?:{GAP}{{0,3}}[0-9]){{6,16}}", _international, BEGIN),
    Finder(r"00 ?[1-9](?:" + GAP + r"{0,2}[0-9]){7,14}", _international, NUMBER_BEGINS, NUMBER_ENDS, NUMBER_GUARD),
    Finder(
        rf"(?:\(0\) ?|\(0|0)[1-9][0-9]{{1,4}}\)?{GAP}{{1,3}}[0-9]{{2,8}}(?:{NARROW}[0-9]{{1,8}}){{0,4}}",
        _national,
        _NATIONAL_BEGINS,
        _NATIONAL_ENDS,
        NUMBER_GUARD,
    ),
    Finder(
        r"0[1-9]-[0-9]{3,4}-[0-9]{4}|0[1-9] [0-9]{4} [0-9]{4}|\(0[1-9]\) ?[0-9]{3,4}[ -][0-9]{4}",
        _national,
        _NATIONAL_BEGINS,
        _NATIONAL_ENDS,
    ),
    Finder(
        r"0[1-9][0-9]{8,9}|0[1-9][ -][0-9]{8}",
        _mobile,
        APART,
        ALONE,
        NUMBER_GUARD,
    ),
    Finder(
        r"0[1-9](?:(?: [0-9]{2}){4}|(?:\.[0-9]{2}){4}|(?:-[0-9]{2}){4})",
        _national,
        _NATIONAL_BEGINS,
        ALONE + "(?! [0-9]{2}(?![0-9]))",
        NUMBER_GUARD,
    ),
    Finder(
        r"[(0-9][0-9]{2,3}(?:\) ?|[-. ])[0-9]{3}[-. ][0-9]{4}",
        _american,
        APART[:-1] + r"|(?<=\b1[ .-]))",
        ALONE,
        NUMBER_GUARD,
    ),
    Finder(r"\([1-9][0-9]\) ?9?[0-9]{4}-[0-9]{4}", whole, NUMBER_BEGINS, NUMBER_ENDS),
    Finder(
        r"8[ -]?(?:\([0-9]{3}\)|[0-9]{3})[ -]?[0-9]{3}-[0-9]{2}-[0-9]{2}",
        whole,
        NUMBER_BEGINS,
        NUMBER_ENDS,
        NUMBER_GUARD,
    ),
    Finder(
        rf"[+0-9](?:{GAP}{{0,3}}[0-9]){{6,17}}",
        _named,
        after=r"(?![0-9A-Za-z_])",
        lead=rf"(?:(?i:{'|'.join(_PHONE_WORDS)})(?i:e|s)?|(?:^|[^A-Za-z]|\\[nrtbf])(?i:{'|'.join(_SHORT_PHONE_WORDS)})"
        rf"(?i:e|s)?|{'|'.join(_OTHER_PHONE_WORDS)})"
        r"(?:[\s\"'\\:=.#(_-]|(?i:number|nummer|num[eé]ro|no|nr|is|ist|kom)|[\x{620}-\x{64a}]|[同番]?[号號]码?|는|은|は)*",
        hints=(*_PHONE_WORDS, *_SHORT_PHONE_WORDS, *(re.sub(r"\[(.).\]", r"\1", word) for word in _OTHER_PHONE_WORDS)),
    ),
    Finder(
        rf"[0-9](?:{GAP}{{0,2}}[0-9]){{8,12}}",
        _called,
        after=r"(?![0-9A-Za-z_])",
        lead=rf"{WORD_GUARD}(?i:{'|'.join(_CALLING_WORDS)}|{_NUMBER_IS})(?i:me|ame|us|him|her|at|on|to|mich|uns|an|unter|le|au|al|ez)?"
        r"(?:[ :]|(?i:me|us|him|her|at|on|mich|uns|an|unter|le|au|al))*",
        hints=(*_CALLING_WORDS, "num"),
    ),
    Finder(
        rf"[0-9](?:{GAP}{{0,2}}[0-9]){{6,12}}",
        _told,
        _NATIONAL_BEGINS,
        _IS_A_PHONE_NEXT,
        NUMBER_GUARD,
    ),
)

"""Numbers as models write them: as a whole or not at all."""

import pytest

from flows.evaluate.criteria.number_reading import first_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        # signs
        ("about \u22125 degrees", -5),
        ("Result: \u20133", -3),
        ("\uff0d7", -7),
        ("\uff11\uff12", 12),
        ("-12.", -12),
        ("+4", 4),
        ("-$1,234.50", -1234.5),
        ("$-5", -5),
        ("x=-5", -5),
        ("COVID-19", 19),
        ("COVID\u201019", 19),
        ("gpt-4", 4),
        ("a - 3", 3),
        # groups
        ("1,234,567.00", 1234567),
        ("1,234,567", 1234567),
        ("1,234", 1234),
        ("12,345 items", 12345),
        ("1.234.567", 1234567),
        ("1.234,56 EUR", 1234.56),
        ("1\u202f234,50 \u20ac", 1234.5),
        ("1\u00a0234 items", 1234),
        ("1 234 567", 1234567),
        ("1\u2019234\u2019567", 1234567),
        ("1'234'567.25", 1234567.25),
        ("2,50,000 rupees", 250000),
        ("12,34,56,789", 123456789),
        ("1_000_000", 1000000),
        # decimals
        ("2,5 Liter", 2.5),
        ("1,23", 1.23),
        ("0,125", 0.125),
        ("1.234", 1.234),
        ("1234,567", 1234.567),
        ("3.14159", 3.14159),
        (".5", 0.5),
        ("\u0663\u066b\u0665", 3.5),
        ("25 %", 25),
        ("-1.5e2x", -150),
        ("2,5e3", 2500),
        # sentences
        ("It is 12, not 13.", 12),
        ("In 2024, 500 people", 2024),
        ("The first 3, then 100", 3),
        ("10 20", 10),
        # another base
        ("0x1F", None),
        ("at 0b101", None),
        ("-0o17", None),
        ("10x5", 10),
        ("0x", 0),
        ("x\u00b2 is 9", 9),
        ("wait...5", 5),
        ("one,5", 5),
        ("v2.", 2),
        ("H2O", 2),
        ("\u200b7\ufeff", 7),
        # no number as a whole
        ("1,23,4", None),
        ("1.2.3", None),
        ("192.168.0.1", None),
        ("5-7", None),
        ("5 - 7 March", None),
        ("pages 10\u201312", None),
        ("gpt-4-0613", None),
        ("no", None),
        ("", None),
    ],
)
def test_the_first_number_of_a_text_as_a_whole_or_not_at_all(text, number):
    assert first_number(text) == number

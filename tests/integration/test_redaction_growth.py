"""Redaction takes time in proportion to the text, also for texts that are made to slow it down."""

import time

import pytest

from flows.ingest.redact.redaction import Redactor
from tests.redaction_texts import key

pytestmark = pytest.mark.long
FINDS = {
    "email": "ann@example.org",
    "phone": "+49 170 1234567",
    "card": "4111 1111 1111 1111",
    "secret": key("ghp_", 36),
    "iban": "DE89370400440532013000",
    "ip": "203.0.113.9",
}
# Beginnings of finds without their ends, ends without beginnings, and separators: each repeated makes a text in which
# every place looks like the beginning of a find.
PIECES = [
    *("eyJ", "aeyJ", "eyJabcdefgh-", "eyJabcdefgh.", "ask-", "sk-", "xghp_", "AIza", "SG.aaaaaaaaaaaaaaaaaa-"),
    *("-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----A", "-----BEGIN A", "-----"),
    *("://a:", "://", "password: ", "passwordpassword:", "bearer ", "xbearer ", "api_key=", "-u a:"),
    *("@", "a@", "@a.", "a@b.", "%40", "%2540", "a @", " @ ", "@\n", "a@a\n", '"a"@', "@[1.", "[at]", "&#64;", "=40"),
    *("+1 ", "+", "0171 ", "14", "4", "4 ", "444444444444444.5", "4444 ", "14444", "phone 1", "call 1"),
    "order 0171 2345678 ",
    *("DE12", "DE12 ", "xDE12", "1.", "1.1.1.1.", "abcd:", "a:", "1\n", "\u0661", "1\u200b", "%2", "1+"),
    *(" at ", " dot ", "a at b dot ", " AT A DOT ", "_at_a_dot_", "a at b dot com", "[@]", "。", "00 1", "octal 0755 "),
    *("?sig=", "A_TOKEN=", "A_A_TOKEN", "cookie: a=", "cookie:", "mysql ", "mysql a ", "api key ", "hotel 1", "(1)\n"),
    *("-----BEGIN PRIVATE KEY-----Proc-Type: 4", "4 - "),
    *("\\", "\\/", "\\u00", "\\u0040", "{", "[1,", '"', "\n"),
]  # fmt: skip


def seconds(text: str) -> float:
    """CPU seconds of the faster of two runs."""
    found = []
    for _ in range(2):
        started = time.process_time()
        Redactor(tuple(FINDS)).text(text)
        found.append(time.process_time() - started)
    return min(found)


@pytest.mark.parametrize("piece", PIECES)
def test_four_times_the_text_takes_about_four_times_as_long(piece: str) -> None:
    """Quadratic time would be sixteen times as long."""
    text = piece * (50_000 // len(piece))
    assert seconds(4 * text) < 9 * max(seconds(text), 0.02)


@pytest.mark.parametrize("kind", FINDS)
def test_a_hundred_thousand_finds_in_one_text_all_go(kind: str) -> None:
    """Each of them once more would take minutes if every replacement copied the text."""
    redactor = Redactor([kind])
    started = time.process_time()
    assert redactor.text(f"{FINDS[kind]}, " * 100_000) == f"[{kind}], " * 100_000
    assert redactor.found == {kind: 100_000}
    assert time.process_time() - started < 60

"""Text that leaves is plain: it steers no terminal and shows no secret of the configuration."""

import io
import logging
import unicodedata
from pathlib import Path

import pytest

from flows.errors import RunError, in_one_line
from flows.outgoing import PlainStream, credentials_in, hide, masked, plain, without_credentials
from tests.hostile_texts import HOSTILE


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b2J", "\\x9b2J"),
        ("abc\u202efdp.exe", "abc\\u202efdp.exe"),
        ("a\u200bb\u2066c\ufeff", "a\\u200bb\\u2066c\\ufeff"),
        ("half \ud800", "half \\ud800"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("two\nlines\r", "two\\x0alines\\x0d"),
        ("Grüße, 你好, שלום, 👍", "Grüße, 你好, שלום, 👍"),
    ],
)
def test_what_steers_a_terminal_is_shown_as_an_escape(raw: str, shown: str) -> None:
    assert plain(raw) == shown


def test_every_control_character_of_unicode_is_shown_as_an_escape() -> None:
    left = [chr(code) for code in range(0x110000) if plain(chr(code)) == chr(code)]
    assert {unicodedata.category(one) for one in left} & {"Cc", "Cs", "Zl", "Zp"} == set()
    directions = {unicodedata.bidirectional(one) for one in left}
    assert directions & {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"} == set()


def test_lines_stay_where_they_are_wanted() -> None:
    assert plain("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"


def test_errors_are_plain_and_keep_no_secret() -> None:
    hide("hunter2-long")
    assert str(RunError("it was \x1b[1mhunter2-long")) == "it was \\x1b[1m***"
    assert in_one_line(ValueError("hunter2-long\n\u202e")) == "ValueError: *** \\u202e"


def test_records_of_loggers_are_plain() -> None:
    stream = io.StringIO()
    logger, handler = logging.getLogger("genchi.test"), logging.StreamHandler(stream)
    logger.addHandler(handler)
    try:
        hide("hunter2-long")
        try:
            raise ValueError("\x1b]52;c;x\x07 hunter2-long")
        except ValueError:
            logger.exception("read %s", "a\x1b[2Jb")
    finally:
        logger.removeHandler(handler)
    assert "\x1b" not in stream.getvalue()
    assert "hunter2" not in stream.getvalue()
    assert "read a\\x1b[2Jb" in stream.getvalue()


def test_a_stream_shows_what_libraries_print_as_text() -> None:
    stream = io.StringIO()
    print("a\x1b[31m\u202e", file=PlainStream(stream))
    assert stream.getvalue() == "a\\x1b[31m\\u202e\n"


@pytest.mark.parametrize(
    ("address", "shown", "secrets"),
    [
        ("https://u:p@ss/w0rd@host.example/v1", "https://host.example/v1", ["p@ss/w0rd", "w0rd"]),
        ("postgresql://u:p?w0rd@x@host:5432/db", "postgresql://host:5432/db", ["p?w0rd@x"]),
        ("https://token0123@host.example/v1", "https://host.example/v1", ["token0123"]),
        ("https://host.example/v1?api_key=0123456789", "https://host.example/v1", ["0123456789"]),
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1", []),
    ],
)
def test_an_address_is_shown_without_its_credentials(address: str, shown: str, secrets: list[str]) -> None:
    assert without_credentials(address) == shown
    assert set(secrets) <= set(credentials_in(address))
    hide(*credentials_in(address))
    assert not any(secret in masked(f"cannot reach {address}") for secret in secrets)


def test_a_secret_is_masked_as_a_url_spells_it() -> None:
    hide("p@ss/w0rd")
    assert masked("p@ss/w0rd p%40ss%2Fw0rd") == "*** ***"


def test_short_words_are_no_secrets() -> None:
    hide("none", "k", "", None)
    assert masked("none k") == "none k"


def test_the_page_has_the_number_of_hostile_texts() -> None:
    page = (Path(__file__).resolve().parents[2] / "flows" / "README.md").read_text(encoding="utf-8")
    assert f"| {len(set(HOSTILE))}: HTML" in page
    assert len(set(HOSTILE)) >= 200

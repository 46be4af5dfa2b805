"""Redaction is measured on lists of texts, and the figures of its page are those that were measured."""

import re
from pathlib import Path

import pyarrow as pa

from flows.ingest.redact.redaction import Redactor
from tests import redaction_texts

ALL = ("email", "phone", "card", "secret", "iban", "ip")
PAGE = Path(__file__).resolve().parents[3] / "flows" / "ingest" / "README.md"


def redacted(texts: list[str]) -> list[str]:
    """The texts as the lake has them: a column is searched as it is at ingest."""
    found: list[str] = Redactor(ALL).table(pa.table({"input_text": texts})).column(0).to_pylist()
    return found


def measured() -> tuple[int, int]:
    """How many finds are gone, and how many harmless texts were changed."""
    personal = redacted([text for _, text, _ in redaction_texts.PERSONAL])
    gone = sum(part not in text for text, (_, _, part) in zip(personal, redaction_texts.PERSONAL, strict=True))
    changed = sum(old != new for old, new in zip(redaction_texts.PLAIN, redacted(redaction_texts.PLAIN), strict=True))
    return gone, changed


def test_the_lists_are_long_and_each_find_is_in_its_text() -> None:
    assert len(redaction_texts.PERSONAL) >= 300
    assert len(redaction_texts.PLAIN) >= 280
    assert all(part in text for _, text, part in redaction_texts.PERSONAL)


def test_nearly_all_finds_go_and_nearly_nothing_else() -> None:
    gone, changed = measured()
    assert gone >= len(redaction_texts.PERSONAL) * 62 / 65
    assert changed <= len(redaction_texts.PLAIN) * 1 / 77


def test_the_page_has_the_measured_figures() -> None:
    gone, changed = measured()
    page = PAGE.read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| all seven \|.*$", page, re.M)
    numbers = [int(number) for number in re.findall(r"\d+", row)]
    assert numbers == [gone, len(redaction_texts.PERSONAL), changed, len(redaction_texts.PLAIN)]


def test_a_column_is_searched_as_each_text_is() -> None:
    texts = [text for _, text, _ in redaction_texts.PERSONAL] + redaction_texts.PLAIN
    assert redacted(texts) == [Redactor(ALL).text(text) for text in texts]

"""Personal data out of texts, before they are written anywhere.

A find is replaced by its kind in brackets, which leaves JSON valid. What counts as a find is kept narrow on
purpose: a card must pass the Luhn check, a phone number must carry a `+` or separators, so that order numbers
and times stay.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

TEXT_COLUMNS = (
    "params_json",
    "messages_json",
    "input_text",
    "output_text",
    "output_json",
    "error_message",
    "tags",
    "comment",
    "edited_output",
    "raw",
)

_PATTERNS = {
    "email": re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"),
    "card": re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])"),
    "phone": re.compile(r"(?<![\w.])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,4}"
                        r"|\(\d{3}\) ?\d{3}[ .-]\d{4}|\d{3}[.-]\d{3}[.-]\d{4})(?![\w.]*\d)"),
    "secret": re.compile(
        r"\b(?:sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|AKIA[0-9A-Z]{16}"
        r"|xox[abprs]-[A-Za-z0-9-]{10,}|AIza[0-9A-Za-z_-]{35}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})"
    ),
}  # fmt: skip
# Secrets first: a token may hold what looks like a number. Cards before phones, for a card may look like one.
_ORDER = ("secret", "email", "card", "phone")


@dataclass
class Redactor:
    """Replaces the kinds that it was made for, and counts what it replaced."""

    kinds: Sequence[str]
    found: Counter[str] = field(default_factory=Counter)

    def text(self, text: str) -> str:
        """`text` with every find replaced by `[kind]`."""
        for kind in _ORDER:
            if kind in self.kinds:
                text = _PATTERNS[kind].sub(lambda match, kind=kind: self._replace(kind, match[0]), text)  # type: ignore[misc]  # mypy cannot type a lambda's default
        return text

    def table(self, rows: pa.Table) -> pa.Table:
        """`rows` with its text columns redacted; each distinct text is searched once."""
        if not self.kinds:
            return rows
        for name in TEXT_COLUMNS:
            if name in rows.column_names:
                index = rows.column_names.index(name)
                rows = rows.set_column(index, name, self._column(rows.column(name)))
        return rows

    def _column(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        encoded = column.combine_chunks().dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.combine_chunks()
        distinct = pa.array([self.text(text) for text in encoded.dictionary.to_pylist()], pa.string())
        return pa.chunked_array([pc.take(distinct, encoded.indices)])

    def _replace(self, kind: str, found: str) -> str:
        if kind == "card" and not luhn(found):
            return found
        self.found[kind] += 1
        return f"[{kind}]"


def luhn(number: str) -> bool:
    """Whether the digits of `number` pass the Luhn check (ISO/IEC 7812-1, annex B)."""
    digits = [int(character) for character in number if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0

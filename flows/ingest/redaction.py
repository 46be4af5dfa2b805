"""Personal data out of texts, before they are written anywhere.

A find is replaced by its kind in brackets; in JSON, a number becomes such a text, so that JSON stays JSON. What
counts as a find is kept narrow on purpose: a card has 14 digits or more, those of an issuer first, and passes the
Luhn check; a phone number must carry a `+` or separators. So order numbers and times stay.
"""

import base64
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

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
    "value",
    "user_key",
    "session_id",
    "reason",
    "raw",
)

_PATTERNS = {
    "email": re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"),
    "card": re.compile(r"(?<![\d.])[2-6]\d{3}(?:[ -]?\d){10,15}(?![\d.])"),
    "phone": re.compile(r"(?<![\w.])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,4}"
                        r"|\(\d{3}\) ?\d{3}[ .-]\d{4}|\d{3}[.-]\d{3}[.-]\d{4})(?![\w.]*\d)"),
    "secret": re.compile(
        r"\b(?:sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|AKIA[0-9A-Z]{16}"
        r"|xox[abprs]-[A-Za-z0-9-]{10,}|AIza[0-9A-Za-z_-]{35}|eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,})"
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
        """`text` with every find replaced by `[kind]`; what was JSON still is."""
        before = self.found.copy()
        redacted = self._replaced(text)
        if redacted == text or not _is_json(text) or _is_json(redacted):
            return redacted
        self.found = before  # a bare number was found: counted and replaced anew, in the values of the JSON
        return json.dumps(self._in_values(json.loads(text)), ensure_ascii=False)

    def encoded(self, text: str) -> str:
        """A record that is kept as base64, redacted within."""
        latin = base64.b64decode(text).decode("latin-1")  # every byte is one character, and comes back as it was
        return base64.b64encode(self._replaced(latin).encode("latin-1")).decode("ascii")

    def _in_values(self, value: Any) -> Any:
        """JSON with every text and number of it redacted."""
        if isinstance(value, dict):
            return {self._replaced(key): self._in_values(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._in_values(item) for item in value]
        if isinstance(value, str):
            return self._replaced(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            written = json.dumps(value)
            redacted = self._replaced(written)
            return value if redacted == written else redacted
        return value

    def _replaced(self, text: str) -> str:
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


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def luhn(number: str) -> bool:
    """Whether the digits of `number` pass the Luhn check (ISO/IEC 7812-1, annex B)."""
    digits = [int(character) for character in number if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0

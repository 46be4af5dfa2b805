"""Removes personal data and keys from texts before they are written anywhere.

A find is replaced by its kind in brackets. JSON stays JSON: a number that is a find becomes a text, and escapes are
decoded before the search. RE2 searches whole columns for candidates; only texts with a candidate, each distinct one
once, are searched in Python. `finders` defines what a find is.

TEXT_COLUMNS and LABEL_COLUMNS are redacted: all columns with text from a log except call_id and trace_id. These are
keys for lookups and joins; a log that builds them from personal data must be fixed at its source.
"""

import base64
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from json import decoder

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from flows.ingest.redact.finders import prefilter, rough_prefilter
from flows.ingest.redact.finding import replaced

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
    "session_id",
    "reason",
    "raw",
)
# Names and labels: short, and the same in many rows, so each distinct one is searched once.
LABEL_COLUMNS = (
    "route",
    "environment",
    "release",
    "prompt_name",
    "prompt_version",
    "provider",
    "model_requested",
    "model_served",
    "system_fingerprint",
    "finish_reason",
    "error_type",
    "kind",
)

# Secrets first: a token may contain digits that look like a number. For the same reason accounts come before cards,
# and cards before phones.
_ORDER = ("secret", "email", "iban", "card", "ip", "phone")
# Maximum depth of JSON within JSON texts; deeper texts are searched without decoding.
_DEEPEST = 8
# The first characters of a document; within one, a text of digits is a text.
_OPENINGS = (frozenset('{["-0123456789'), frozenset('{["'))
_read_text = decoder.scanstring  # type: ignore[attr-defined]  # typeshed leaves json's own reader of texts out
_COLON = re.compile(r"\s*:")
_NUMBER = re.compile(r"-?[0-9][0-9.eE+-]{4,}")
_SHORTEST = 5
_ESCAPE = re.compile(r"\\u00([2-7][0-9a-fA-F])")


@dataclass
class Redactor:
    """Replaces finds of the given kinds, and counts them.

    `found` counts a find once for every row with it. Not thread-safe: use one redactor per thread and add the counts.
    """

    kinds: Sequence[str]
    found: Counter[str] = field(default_factory=Counter)

    def text(self, text: str) -> str:
        """`text` with every find replaced by `[kind]`; JSON stays valid JSON."""
        redacted, found = _redacted(text, _in_order(self.kinds))
        self.found.update(found)
        return redacted

    def encoded(self, text: str) -> str:
        """A base64 record with its content redacted."""
        latin = base64.b64decode(text).decode("latin-1")  # every byte is one character, and is restored unchanged
        redacted, found = _in_text(latin, _in_order(self.kinds), "")
        self.found.update(found)
        return base64.b64encode(redacted.encode("latin-1")).decode("ascii")

    def table(self, rows: pa.Table) -> pa.Table:
        """`rows` with its text columns redacted, in the types that they have."""
        texts = self._given(rows, TEXT_COLUMNS)
        labels = self._given(rows, LABEL_COLUMNS)
        pattern = rough_prefilter(frozenset(self.kinds))
        suspect = {name: pc.fill_null(pc.match_substring_regex(array, pattern), False)
                   for name, array in texts.items()}  # fmt: skip
        suspect |= _suspect_labels(labels, pattern)
        texts |= labels
        suspect = {name: mask for name, mask in suspect.items() if mask.true_count}
        if not suspect:
            return rows
        candidates = pa.concat_arrays(
            [texts[name].filter(mask).cast(pa.large_string()) for name, mask in suspect.items()]
        )
        encoded = candidates.dictionary_encode()
        redacted = self._distinct(encoded.dictionary, np.bincount(encoded.indices)).take(encoded.indices)
        begin = 0
        for name, mask in suspect.items():
            part = redacted.slice(begin, mask.true_count)
            begin += len(part)
            if part.null_count < len(part):
                old = texts[name].filter(mask)
                new = pc.replace_with_mask(texts[name], mask, pc.coalesce(part.cast(old.type), old)).cast(
                    rows.field(name).type
                )
                rows = rows.set_column(rows.column_names.index(name), rows.field(name), new)
        return rows

    def _given(self, rows: pa.Table, names: Sequence[str]) -> dict[str, pa.Array]:
        """The existing columns of these names that have values."""
        given = {name: rows.column(name) for name in names if name in rows.column_names and self.kinds}
        return {name: _one_array(column) for name, column in given.items() if column.null_count < len(column)}

    def _distinct(self, texts: pa.Array, rows: npt.NDArray[np.int_]) -> pa.Array:
        """Distinct texts redacted, null where nothing was found. `rows` is the number of rows of each."""
        masks = [pc.match_substring_regex(texts, prefilter(frozenset([kind]))).to_pylist() for kind in self.kinds]
        redacted: list[str | None] = []
        for text, count, *suspected in zip(texts.to_pylist(), rows, *masks, strict=True):
            kinds = [kind for kind, is_suspected in zip(self.kinds, suspected, strict=True) if is_suspected]
            new, found = _redacted(text, _in_order(kinds)) if kinds else (text, [])
            for kind in found:
                self.found[kind] += int(count)
            redacted.append(new if found else None)
        return pa.array(redacted, texts.type)


def _suspect_labels(labels: dict[str, pa.Array], pattern: str) -> dict[str, pa.Array]:
    """Which labels have a match of the pattern: the distinct ones of all columns are searched together."""
    if not labels:
        return {}
    encoded = {name: array.dictionary_encode() for name, array in labels.items()}
    distinct = pa.concat_arrays([column.dictionary.cast(pa.large_string()) for column in encoded.values()])
    found = pc.match_substring_regex(distinct, pattern)
    suspect, begin = {}, 0
    for name, column in encoded.items():
        part = found.slice(begin, len(column.dictionary))
        begin += len(part)
        if part.true_count:
            suspect[name] = pc.fill_null(part.take(column.indices), False)
    return suspect


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    """A column as a single chunk, because RE2 compiles its pattern again per chunk; of a type that RE2 accepts."""
    if column.num_chunks == 1 and column.type in (pa.string(), pa.large_string()):
        return column.chunk(0)
    whole = column.cast(pa.large_string()).combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def _in_order(kinds: Sequence[str]) -> tuple[str, ...]:
    return tuple(kind for kind in _ORDER if kind in kinds)


def _redacted(text: str, kinds: Sequence[str], name: str = "", depth: int = 0) -> tuple[str, list[str]]:
    """`text` without its finds, and their kinds. `name` is the key of a JSON object whose value it is."""
    if depth < _DEEPEST and text.lstrip()[:1] in _OPENINGS[depth > 0] and _is_json(text):
        return _in_json(text, kinds, depth)
    return _in_text(text, kinds, name)


def _in_text(text: str, kinds: Sequence[str], name: str) -> tuple[str, list[str]]:
    redacted, found = replaced(text, kinds, name)
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text) if "\\u00" in text else text
    if plain != text:  # almost JSON: its escapes are uncertain, but a find is a find in both readings
        unescaped, more = replaced(plain, kinds, name)
        if len(more) > len(found):
            return unescaped, more
    return redacted, found


def _in_json(text: str, kinds: Sequence[str], depth: int) -> tuple[str, list[str]]:
    """JSON with each of its texts, keys and numbers redacted, and everything else unchanged."""
    parts: list[str] = []
    found: list[str] = []
    copied = 0
    for begin, end, value, name in _values(text):
        if text[begin] == '"':
            new, more = _redacted(value, kinds, name, depth + 1)
        else:
            new, more = replaced(value.removesuffix(".0"), kinds, name)
        if more:
            found += more
            parts += [text[copied:begin], _quoted(new)]
            copied = end
    return "".join([*parts, text[copied:]]), found


def _values(text: str) -> Iterator[tuple[int, int, str, str]]:
    """The texts, keys and numbers of a JSON document: the span, the decoded value, and the key of a value.

    Values that are too short for a find are left out.
    """
    name, end = "", 0
    while (begin := text.find('"', end)) >= 0:
        if begin - end > _SHORTEST:
            yield from _numbers(text, end, begin, name)
        value, after = _read_text(text, begin + 1, False)
        is_key = text[after : after + 1] == ":" or _COLON.match(text, after) is not None
        if len(value) >= _SHORTEST:
            yield begin, after, value, "" if is_key else name
        name, end = value if is_key else "", after
    yield from _numbers(text, end, len(text), name)


def _numbers(text: str, begin: int, end: int, name: str) -> Iterator[tuple[int, int, str, str]]:
    for number in _NUMBER.finditer(text, begin, end):
        yield number.start(), number.end(), number[0], name
        name = ""


def _quoted(text: str) -> str:
    """A text as JSON, without escapes for characters that UTF-8 can encode."""
    quoted = json.dumps(text, ensure_ascii=False)
    try:
        quoted.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return json.dumps(text)
    return quoted


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except RecursionError:
        return True  # its tokens can be separated all the same
    except ValueError:
        return False
    return True

"""Removes fields from a log's records before any other step reads them: `redact_paths` of genchi.yaml.

The rest of a record stays unchanged, to the character. A path refers to the record's objects and lists, not to CSV or
JSON inside a text. A record that is not a JSON object is not changed.
"""

import json
import re
from collections.abc import Iterator, Sequence
from json import decoder
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.config import parse_path

Path = tuple[str | int | None, ...]

_read_text = decoder.scanstring  # type: ignore[attr-defined]  # typeshed leaves json's own reader of texts out
_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r'[^\s,:"{}\[\]]+')


def drop_paths(raw: pa.Array | pa.ChunkedArray, paths: Sequence[str]) -> tuple[Any, int]:
    """`raw` (texts, one record each) without the fields at `paths`, and the number of removed fields.

    Only records that have the last key of a path, or a key with an escape, are processed one by one; if there are none,
    the same array is returned.
    """
    parsed = [parse_path(path) for path in paths]
    if not parsed:
        return raw, 0
    if isinstance(raw, pa.ChunkedArray):
        chunks, counts = (
            zip(*(drop_paths(chunk, paths) for chunk in raw.chunks), strict=True) if raw.chunks else ((), ())
        )
        return pa.chunked_array(chunks, raw.type), sum(counts)
    suspect = pc.fill_null(pc.match_substring_regex(raw, _prefilter(parsed)), False)
    if not suspect.true_count:
        return raw, 0
    texts, total = [], 0
    for text in raw.filter(suspect).to_pylist():
        kept, count = without(text, parsed)
        texts.append(kept)
        total += count
    return (pc.replace_with_mask(raw, suspect, pa.array(texts, raw.type)), total) if total else (raw, 0)


def without(text: str, paths: Sequence[Path]) -> tuple[str, int]:
    """One record without the fields at `paths`, and their number. From a parse error on, the record stays unchanged.

    Python's parser is not used: DuckDB accepts JSON that it rejects (trailing commas, numbers of any length).
    """
    try:
        cuts = list(_Cutter(text).cuts(list(paths)))
    except (ValueError, IndexError):
        return text, 0
    kept, begin = [], 0
    for first, last in cuts:
        kept.append(text[begin:first])
        begin = last
    return "".join([*kept, text[begin:]]), len(cuts)


def _prefilter(paths: Sequence[Path]) -> str:
    """A pattern for each path's last key in JSON, and for any key with an escape, which may be one of them."""
    last = {next(step for step in reversed(path) if isinstance(step, str)) for path in paths}
    written = {json.dumps(key, ensure_ascii=False)[1:-1] for key in last}
    return "|".join([*(f'"{re.escape(key)}"\\s*:' for key in sorted(written)), r'"[^"\\]*\\(?:[^"\\]|\\.)*"\s*:'])


class _Cutter:
    """Finds the parts of a valid JSON text to remove: a key, its value and one comma."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def cuts(self, paths: list[Path]) -> Iterator[tuple[int, int]]:
        """The parts to remove within the current value, in order; `paths` start from it. Ends after the value."""
        self._skip()
        opening = self.text[self.at]
        if opening in "{[" and paths:
            yield from self._members(paths, is_object=opening == "{")
        else:
            self._value()

    def _members(self, paths: list[Path], *, is_object: bool) -> Iterator[tuple[int, int]]:
        before = self.at = self.at + 1  # end of the last member that stays, or of the opening bracket
        kept = place = 0
        self._skip()
        while self.text[self.at] not in "}]":
            begin = self.at
            key: str | int = place
            if is_object:
                key, self.at = _read_text(self.text, begin + 1, False)
                self._skip()
                self.at += 1  # the colon
            following = [path[1:] for path in paths if path[0] is None or path[0] == key]
            if () in following:
                self._value()
                end = self.at
                self._skip()
                has_comma = self.text[self.at] == ","
                # With the comma before it; the first member has none, and takes the comma after it.
                yield (before, end) if kept else (begin, self._behind_comma() if has_comma else end)
            else:
                yield from self.cuts([path for path in following if path])
                kept += 1
                before = self.at
                self._skip()
            if self.text[self.at] == ",":
                self.at += 1
                self._skip()
            place += 1
            before = before if kept else self.at
        self.at += 1

    def _behind_comma(self) -> int:
        end = _SPACE.match(self.text, self.at + 1)
        return end.end() if end else self.at + 1

    def _skip(self) -> None:
        space = _SPACE.match(self.text, self.at)
        self.at = space.end() if space else self.at

    def _value(self) -> None:
        """Step over one value."""
        self._skip()
        depth = 0
        while True:
            character = self.text[self.at]
            if character == '"':
                self.at = _read_text(self.text, self.at + 1, False)[1]
            elif character in "{[":
                depth += 1
                self.at += 1
            elif character in "}]":
                depth -= 1
                self.at += 1
            elif character in ",: \t\n\r":
                self.at += 1
                continue
            else:
                plain = _PLAIN.match(self.text, self.at)
                self.at = plain.end() if plain else self.at + 1
            if depth == 0:
                return

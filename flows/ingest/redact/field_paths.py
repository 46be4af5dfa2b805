"""Fields out of a log's own records, before anything else sees them: `redact_paths` of genchi.yaml.

The rest of a record stays as it was written, to the character. A path leads into the record's own objects and lists;
into a text that holds CSV or JSON of its own it does not lead, and a record that is no JSON object is left alone.
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
    """`raw` (texts, one record each) without the fields at `paths`, and how many fields were taken away.

    Only records that have the last key of a path, or a key with an escape in it, are looked at one by one; where there
    is none, the very same array comes back.
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
    """One record without the fields at `paths`, and how many those were. What cannot be read so far stays.

    Python's parser is not asked: DuckDB takes for JSON what it refuses (a comma too many, numbers of any length).
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
    """Each path's last key as JSON writes it, and any key that has an escape and so may be one of them."""
    last = {next(step for step in reversed(path) if isinstance(step, str)) for path in paths}
    written = {json.dumps(key, ensure_ascii=False)[1:-1] for key in last}
    return "|".join([*(f'"{re.escape(key)}"\\s*:' for key in sorted(written)), r'"[^"\\]*\\(?:[^"\\]|\\.)*"\s*:'])


class _Cutter:
    """Finds the pieces of a valid JSON text that are to go: a key, its value and one comma."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def cuts(self, paths: list[Path]) -> Iterator[tuple[int, int]]:
        """The pieces within the value at hand, in order; `paths` start from it. Ends behind the value."""
        self._skip()
        opening = self.text[self.at]
        if opening in "{[" and paths:
            yield from self._members(paths, is_object=opening == "{")
        else:
            self._value()

    def _members(self, paths: list[Path], *, is_object: bool) -> Iterator[tuple[int, int]]:
        before = self.at = self.at + 1  # where the last member that stays ends, or the opening
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
                # With the comma before it; what comes first has none, and takes the one behind it.
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

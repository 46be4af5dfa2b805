"""Splits a `.json` file into its documents: one object, a list of objects, or a sequence of objects.

The documents are cut out of the text without parsing them: whether one is valid is checked later,
and an invalid one affects its neighbours only where its brackets do not match.
"""

from collections.abc import Iterable, Iterator

import numpy as np

_BETWEEN = b" \t\r\n,"
_FIRST_READ = 1 << 20
_QUOTE, _BACKSLASH, _LIST_END = b'"\\]'


def documents(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The top-level objects of a file, or the items of its list. Text between them is a document too."""
    cutter = _Cutter()
    waiting: list[bytes] = []
    size, wanted = 0, _FIRST_READ
    for block in blocks:
        waiting.append(block)
        size += len(block)
        if size >= wanted:
            yield from cutter.cut(b"".join(waiting))
            # The remaining text is scanned again with the next part; doubling the size keeps the total linear.
            waiting, size = [cutter.rest], len(cutter.rest)
            wanted = max(_FIRST_READ, 2 * size)
    yield from cutter.cut(b"".join(waiting))
    yield from _between(cutter.rest)


def is_lines(start: bytes) -> bool:
    """Whether a file with this beginning has one object per line: then a bad line does not affect others."""
    first, newline, second = start.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")
    if not newline or not first.startswith(b"{") or not second.lstrip().startswith(b"{"):
        return False
    begins, ends, too_many = _brackets(first.rstrip())
    return begins == [0] and ends == [len(first.rstrip()) - 1] and too_many is None


def is_list(start: bytes) -> bool:
    """Whether a file with this beginning is one list of objects, which its name does not tell."""
    start = start.lstrip()
    first, _, rest = start.partition(b"\n")
    return (
        start[:1] == b"[" and start[1:].lstrip()[:1] == b"{" and (not first.rstrip().endswith(b"]") or not rest.strip())
    )


class _Cutter:
    def __init__(self) -> None:
        self.rest = b""
        self._begun = self._in_list = self._lost = False

    def cut(self, text: bytes) -> Iterator[bytes]:
        """The complete documents in `text`; `rest` is then the text after the last of them."""
        if not self._begun:
            text = text.removeprefix(b"\xef\xbb\xbf").lstrip()
            self._begun = bool(text)
            self._in_list = text.startswith(b"[")
            text = text[1:] if self._in_list else text
        self.rest = text
        while not self._lost:
            begins, ends, too_many = _brackets(self.rest)
            done = 0
            for begin, end in zip(begins, ends, strict=False):  # the last one may not end here
                yield from _between(self.rest[done:begin])
                yield self.rest[begin : end + 1]
                done = end + 1
            if too_many is None:
                self.rest = self.rest[done:]
                return
            # It ends the list; after an unmatched bracket the structure is unknown.
            self._lost = not (self._in_list and self.rest[too_many] == _LIST_END)
            self._in_list = False
            cut_at = done if self._lost else too_many
            yield from _between(self.rest[done:cut_at])
            self.rest = self.rest[cut_at + (not self._lost) :]


def _brackets(text: bytes) -> tuple[list[int], list[int], int | None]:
    """The positions of the outermost opening and closing brackets, and of the first unmatched closing one."""
    characters = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(characters == _QUOTE)
    if _BACKSLASH in text:
        quotes = quotes[~_escaped(characters, quotes)]
    # { and [ differ from } and ] in one bit, and the two kinds in another.
    places = np.flatnonzero((characters | 0x26) == 0x7F)
    places = places[np.isin(characters[places], np.frombuffer(b"{}[]", np.uint8))]
    places = places[np.searchsorted(quotes, places) % 2 == 0]
    step = np.where(np.isin(characters[places], np.frombuffer(b"{[", np.uint8)), 1, -1)
    depth = np.cumsum(step)
    negative = np.flatnonzero(depth < 0)
    valid = slice(0, negative[0] if len(negative) else len(places))
    begins = places[valid][(step[valid] == 1) & (depth[valid] == 1)]
    ends = places[valid][(step[valid] == -1) & (depth[valid] == 0)]
    return begins.tolist(), ends.tolist(), int(places[negative[0]]) if len(negative) else None


def _escaped(characters: np.ndarray, quotes: np.ndarray) -> np.ndarray:
    """Which quotes follow an odd number of backslashes."""
    backslashes = np.flatnonzero(characters == _BACKSLASH)
    starts_run = np.diff(backslashes, prepend=-2) != 1
    run_begin = backslashes[starts_run][np.cumsum(starts_run) - 1]  # of the run that each backslash is in
    found = np.minimum(np.searchsorted(backslashes, quotes - 1), len(backslashes) - 1)
    is_escaped: np.ndarray = (backslashes[found] == quotes - 1) & ((quotes - run_begin[found]) % 2 == 1)
    return is_escaped


def _between(text: bytes) -> Iterator[bytes]:
    if left := text.strip(_BETWEEN):
        yield left

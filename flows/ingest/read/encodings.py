"""Blocks of a file as UTF-8 with line feeds, whatever its byte order mark and its line ends say."""

import codecs
from collections.abc import Iterable, Iterator

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def in_utf8(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same text in UTF-8, without its mark. Without one the bytes stay as they are, but for plain UTF-16.

    What is no text of its encoding becomes U+FFFD. Carriage returns alone, as ends of lines, become line feeds.
    """
    waiting = iter(blocks)
    first = next(waiting, b"")
    mark, encoding = next(((mark, name) for mark, name in _MARKS if first.startswith(mark)), (b"", _unmarked(first)))
    first = first[len(mark) :]
    if encoding in ("", "utf-8"):
        plain = _chained(first, waiting)
    else:
        plain = _transcoded(_chained(first, waiting), encoding)
        first = next(plain, b"")
        plain = _chained(first, plain)
    if b"\r" in first and b"\n" not in first:
        plain = (block.replace(b"\r", b"\n") for block in plain)
    yield from plain


def is_plain(first: bytes) -> bool:
    """Whether the bytes of a file that begins so are its text in UTF-8 as `in_utf8` gives it."""
    is_marked = any(first.startswith(mark) for mark, _ in _MARKS) or bool(_unmarked(first))
    return not is_marked and b"\n" in first


def _unmarked(first: bytes) -> str:
    """UTF-16 without a mark, which JSON shows: it begins with two characters of ASCII."""
    zeros = [byte == 0 for byte in first[:4]]
    if zeros == [False, True, False, True]:
        return "utf-16-le"
    return "utf-16-be" if zeros == [True, False, True, False] else ""


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _transcoded(blocks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for block in blocks:
        yield decoder.decode(block).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")

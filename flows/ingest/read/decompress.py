"""Decompresses files block by block, as far as they can be decompressed."""

import zlib
from collections.abc import Iterator
from typing import Protocol

import zstandard

BLOCK = 1 << 20
# A hostile file may expand to 30,000 times its size: blocks are so small that memory is bounded even then.
_ZSTD_INPUT = 1 << 13
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


class Readable(Protocol):
    """A source of bytes."""

    def read(self, size: int, /) -> bytes: ...


class BrokenOffError(Exception):
    """A compressed file cannot be decompressed further; `rest` is the part that was read and not decompressed."""

    def __init__(self, reason: str, rest: bytes) -> None:
        super().__init__(reason)
        self.rest = rest


def is_packed(start: bytes) -> bool:
    """Whether a file that begins so is compressed."""
    return start.startswith((_GZIP, _ZSTD))


def unpacked(stored: Readable) -> Iterator[bytes]:
    """The blocks (1 MiB or less, but for zstd's worst) of a plain, gzip or zstd file, recognised by its first bytes.

    Raises BrokenOffError after the last readable block; the file is then at the byte after its `rest`.
    """
    start = stored.read(BLOCK)
    if start.startswith(_GZIP):
        yield from _gunzipped(start, stored)
    elif start.startswith(_ZSTD):
        yield from _unzstd(start, stored)
    else:
        while start:
            yield start
            start = stored.read(BLOCK)


def _gunzipped(waiting: bytes, stored: Readable) -> Iterator[bytes]:
    """Member by member; padding between them, or after the last, is skipped."""
    inflate = zlib.decompressobj(wbits=31)
    while waiting or (waiting := stored.read(BLOCK)):
        if inflate.eof:
            waiting = waiting.lstrip(b"\0")
            if not waiting:
                continue
            inflate = zlib.decompressobj(wbits=31)
        try:
            yield inflate.decompress(waiting, BLOCK)
        except zlib.error as error:
            raise BrokenOffError(str(error), waiting) from None
        waiting = inflate.unconsumed_tail or inflate.unused_data
    if not inflate.eof:
        yield inflate.flush()
        raise BrokenOffError("unexpected end of the file", b"")


def _unzstd(waiting: bytes, stored: Readable) -> Iterator[bytes]:
    """Frame by frame."""
    unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 27)
    frame = unpacker.decompressobj()
    while waiting or (waiting := stored.read(BLOCK)):
        if frame.eof:
            frame = unpacker.decompressobj()
        given, waiting = waiting[:_ZSTD_INPUT], waiting[_ZSTD_INPUT:]
        try:
            unpacked_part = frame.decompress(given)
        except zstandard.ZstdError as error:
            raise BrokenOffError(str(error), given + waiting) from None
        for place in range(0, len(unpacked_part), BLOCK):
            yield unpacked_part[place : place + BLOCK]
        waiting = frame.unused_data + waiting
    if not frame.eof:
        raise BrokenOffError("unexpected end of the file", b"")

"""Files by their content: what is in them once they are decompressed, whatever they are called.

A file that was renamed or compressed has the content that it had, and one that has grown begins with it.
"""

import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

from flows.ingest.read.decompress import BrokenOffError, Readable, is_packed, unpacked

# The beginning by which a content is looked up: a different one rules out the same content without reading on.
HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class Content:
    """A content: bytes, SHA-256, SHA-256 of its first HEAD_BYTES, and those of other beginnings by their size."""

    bytes: int
    sha256: str
    head: str
    beginnings: dict[int, str] = field(default_factory=dict)


class Digest:
    """The hash of a content that comes in blocks, and of its beginnings of some sizes."""

    def __init__(self, sizes: Iterable[int] = ()) -> None:
        self._digest, self.size = hashlib.sha256(), 0
        self._marks = sorted({HEAD_BYTES, *sizes}, reverse=True)
        self._found: dict[int, str] = {}

    def add(self, block: bytes | memoryview) -> None:
        """Add a block."""
        view = memoryview(block)
        while self._marks and self.size + len(view) >= self._marks[-1]:
            cut = self._marks[-1] - self.size
            self._digest.update(view[:cut])
            self.size, view = self._marks.pop(), view[cut:]
            self._found[self.size] = self._digest.hexdigest()
        self._digest.update(view)
        self.size += len(view)

    def content(self) -> Content:
        """The content so far."""
        whole = self._digest.hexdigest()
        return Content(self.size, whole, self._found.get(HEAD_BYTES, whole), self._found)


class Hashing:
    """A stored file that is hashed while it is read; if it is compressed, its content is hashed too."""

    def __init__(self, stored: Readable) -> None:
        self._stored, self._as_stored = stored, Digest()
        self._unpacked: Digest | None = None

    def read(self, size: int, /) -> bytes:
        """The next block as it is stored."""
        block = self._stored.read(size)
        if not self._as_stored.size and is_packed(block):
            self._unpacked = Digest()
        self._as_stored.add(block)
        return block

    def blocks(self) -> Iterator[bytes]:
        """The content, block by block. Raises BrokenOffError as `unpacked` does."""
        for block in unpacked(self):
            if self._unpacked is not None:
                self._unpacked.add(block)
            yield block

    def finish(self) -> tuple[Content, Content]:
        """Read the rest. Returns the file as it is stored, and its content."""
        while self.read(1 << 20):
            pass
        stored = self._as_stored.content()
        return stored, stored if self._unpacked is None else self._unpacked.content()


def content_of(opening: Callable[[], IO[bytes]], sizes: Iterable[int] = (), *, most: int = sys.maxsize) -> Content:
    """The content of a file, or its first `most` bytes, with the hashes of its beginnings of these sizes.

    It is not held in memory.
    """
    digest = Digest(sizes)
    with opening() as stored:
        try:
            for block in unpacked(stored):
                digest.add(block[: most - digest.size])
                if digest.size == most:
                    break
        except BrokenOffError:
            pass  # the content is what can be decompressed
    return digest.content()


def stored_hash(opening: Callable[[], IO[bytes]]) -> str:
    """The SHA-256 of a file as it is stored."""
    with opening() as stored:
        hashing = Hashing(stored)
        return hashing.finish()[0].sha256

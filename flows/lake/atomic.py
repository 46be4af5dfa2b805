"""Atomic writes: a reader sees the old file or the new one, never a part."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def replacing(place: Path) -> Iterator[IO[bytes]]:
    """A temporary file next to `place`; flushed to disk and renamed to `place` if the block succeeds."""
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)


def replace_text(place: Path, text: str) -> None:
    """Write `text` to `place` in UTF-8, atomically."""
    with replacing(place) as file:
        file.write(text.encode())

"""Putting a file into its place, so that a reader sees the old one or the new, and never half of either."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def replacing(place: Path) -> Iterator[IO[bytes]]:
    """A file beside `place` to write to; forced to disk and renamed into place where the block ends well."""
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
    """Put `text` into the place, in UTF-8."""
    with replacing(place) as file:
        file.write(text.encode())

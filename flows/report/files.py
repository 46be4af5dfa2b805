"""Putting a text into its place."""

import os
from pathlib import Path


def replace_text(place: Path, text: str) -> None:
    """Write `text` beside `place` and rename it into place, so that a reader never sees half of it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)

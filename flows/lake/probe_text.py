"""A small text that is written to a lake and deleted again: whether it can be written, and who else sees it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.lake.lake import Lake

_NAME = "_probe"


def probe(lake: Lake, name: str = _NAME) -> None:
    """If the lake exists, write the text and delete it. Raises RunError or OSError if that fails."""
    with probing(lake, "genchi doctor was here", name):
        pass


@contextmanager
def probing(lake: Lake, text: str, name: str = _NAME) -> Iterator[None]:
    """The same, with the block between; another machine finds the text by `read_probe`."""
    if isinstance(lake.root, Path) and not lake.root.exists():
        yield  # the first run creates it, and reports if it cannot
        return
    lake.backend.children(name)
    lake.backend.write_text(name, text)
    try:
        yield
    finally:
        lake.backend.remove(name)


def read_probe(lake: Lake, name: str = _NAME) -> str | None:
    """The text as this machine sees it; None where it sees none."""
    return lake.backend.read_text(name)

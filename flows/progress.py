"""A line a step, on stderr: marks and colours on a terminal, plain lines in a log."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress

from flows.errors import in_one_line
from flows.outgoing import drawing_on, plain
from flows.stopping import is_stopping

T = TypeVar("T")

_logger = logging.getLogger("genchi")
_logger.setLevel(logging.INFO)  # who runs genchi decides where the lines go, not whether there are any


@dataclass
class Step:
    """One step under way. Set `outcome` to what the line says when it is done."""

    name: str
    outcome: str = "done"


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Print on one line the outcome of a step and its duration; an exception is printed, and raised again."""
    started, current = time.monotonic(), Step(name)
    terminal = sys.stderr.isatty()
    if terminal:
        _draw(f"  … {plain(name)}\r")
    try:
        yield current
    except BaseException as error:
        _print_line("✗", name, "stopped" if is_stopping() else f"failed: {in_one_line(error)}", started, terminal)
        raise
    _print_line("✓", name, current.outcome, started, terminal)


def _print_line(mark: str, name: str, outcome: str, started: float, terminal: bool) -> None:
    line = f"{mark} {plain(name):<11} {plain(outcome)} ({time.monotonic() - started:.1f} s)"
    if terminal:
        colour = "32" if mark == "✓" else "31"
        _draw(f"\x1b[2K\x1b[{colour}m{line[0]}\x1b[0m{line[1:]}\n")
    else:
        _logger.info(line)


def tell(text: str) -> None:
    """One line about the step under way."""
    if sys.stderr.isatty():
        _draw(f"\x1b[2K  … {plain(text)}\n")
    else:
        _logger.info("  %s", plain(text))


def _draw(text: str) -> None:
    """Write genchi's own marks and colours; every text among them is plain."""
    stream = drawing_on(sys.stderr)
    stream.write(text)
    stream.flush()


def show_lines() -> None:
    """Send genchi's own lines to stderr."""
    if not _logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        _logger.addHandler(handler)
        _logger.propagate = False


def track(items: Iterable[T], name: str, total: int) -> Iterator[T]:
    """`items`, with a bar on a terminal while they are worked through; nothing in a log."""
    console = Console(file=drawing_on(sys.stderr))
    with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        yield from progress.track(items, total=total, description=name)

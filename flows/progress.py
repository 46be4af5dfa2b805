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
        sys.stderr.write(f"  … {name}\r")
        sys.stderr.flush()
    try:
        yield current
    except BaseException as error:
        _print_line("✗", name, "stopped" if is_stopping() else f"failed: {in_one_line(error)}", started, terminal)
        raise
    _print_line("✓", name, current.outcome, started, terminal)


def _print_line(mark: str, name: str, outcome: str, started: float, terminal: bool) -> None:
    line = f"{mark} {name:<11} {outcome} ({time.monotonic() - started:.1f} s)"
    if terminal:
        colour = "32" if mark == "✓" else "31"
        sys.stderr.write(f"\x1b[2K\x1b[{colour}m{line[0]}\x1b[0m{line[1:]}\n")
        sys.stderr.flush()
    else:
        _logger.info(line)


def tell(text: str) -> None:
    """One line about the step under way."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\x1b[2K  … {text}\n")
        sys.stderr.flush()
    else:
        _logger.info("  %s", text)


def show_lines() -> None:
    """Send genchi's own lines to stderr."""
    if not _logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        _logger.addHandler(handler)
        _logger.propagate = False


def track(items: Iterable[T], name: str, total: int) -> Iterator[T]:
    """`items`, with a bar on a terminal while they are worked through; nothing in a log."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        yield from progress.track(items, total=total, description=name)

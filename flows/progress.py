"""A line a step, on stderr: marks, colours and what is under way on a terminal; plain lines in a log.

A step that takes time says how far it is: on a terminal in one line that is written over and over, in a log every
LOG_EVERY_S seconds. Standard library only: the first line comes before anything that takes long to import.
"""

import contextvars
import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from flows import json_lines
from flows.errors import in_one_line
from flows.outgoing import drawing_on, plain
from flows.stopping import is_stopping
from flows.words import duration

T = TypeVar("T")

LOG_EVERY_S = 30.0
_TERMINAL_EVERY_S = 0.2
_BAR = 20  # characters
_TELL_LEFT_S = 5.0

_logger = logging.getLogger("genchi")
_logger.setLevel(logging.INFO)  # who runs genchi decides where the lines go, not whether there are any


@dataclass(eq=False)
class Step:
    """One step under way. Set `outcome` to what the line says when it is done.

    `doing` is what it does at the moment, `done` how many of `total` are done; no `total` is no bar.
    """

    name: str
    outcome: str = "done"
    doing: str = ""
    done: int = 0
    total: int = 0
    started: float = field(default_factory=time.monotonic)
    counted_from: float = 0.0

    @property
    def state(self) -> str:
        """How far it is: `12 s, files: 34 of 120, about 30 s left`."""
        now = time.monotonic()
        count = f"{self.done:,} of {self.total:,}" if self.total else ""
        about = ": ".join(part for part in (self.doing, count) if part)
        return ", ".join(part for part in (f"{now - self.started:.0f} s", about, self._left(now)) if part)

    def _left(self, now: float) -> str:
        """How long it still takes, if what is left goes as fast; nothing in the first seconds."""
        spent = now - self.counted_from
        if not 0 < self.done < self.total or spent < _TELL_LEFT_S:
            return ""
        return f"about {duration(spent * (self.total - self.done) / self.done)} left"

    def reached(self, name: str, done: int, total: int) -> None:
        """So many of `total` things are done; the first call begins to count."""
        if not self.total:
            self.counted_from = time.monotonic()
        self.doing, self.done, self.total = name, done, total


class _Display:
    """Writes the lines of this process, and says every now and then how far the innermost step is."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._ticking: threading.Thread | None = None

    @property
    def current(self) -> Step | None:
        """The innermost step under way."""
        return self._steps[-1] if self._steps else None

    def begin(self, step: Step) -> None:
        with self._lock:
            self._steps.append(step)
            if _is_terminal():
                self._rewrite(step)
            if self._ticking is None:
                self._wake.clear()
                # In this context Prefect knows the run to whose log a line belongs.
                tick = partial(contextvars.copy_context().run, self._tick)
                self._ticking = threading.Thread(target=tick, name="genchi-progress", daemon=True)
                self._ticking.start()

    def end(self, step: Step) -> None:
        with self._lock:
            self._steps.remove(step)
            if self._steps:
                return
            ticking, self._ticking = self._ticking, None
            self._wake.set()
        if ticking is not None:
            ticking.join()

    def write(self, line: str, colour: str = "", facts: Mapping[str, object] | None = None) -> None:
        """A line that stays. `colour` is that of its first character on a terminal, `facts` are for a log of JSON."""
        with self._lock:
            if _is_terminal():
                mark = f"\x1b[{colour}m{line[0]}\x1b[0m{line[1:]}" if colour else line
                _draw(f"\r\x1b[2K{mark}\n")
            else:
                _logger.info(line, extra={json_lines.FACTS: facts or {}})

    def _tick(self) -> None:
        told = time.monotonic()
        while not self._wake.wait(_TERMINAL_EVERY_S if _is_terminal() else min(1.0, LOG_EVERY_S)):
            with self._lock:
                step = self.current
                if step is None:
                    return
                if _is_terminal():
                    self._rewrite(step)
                elif time.monotonic() - max(told, step.started) >= LOG_EVERY_S:
                    told = time.monotonic()
                    _logger.info("… %-11s %s", step.name, step.state)

    def _rewrite(self, step: Step) -> None:
        bar = ""
        if step.total:
            full = round(_BAR * min(1.0, step.done / step.total))
            bar = f"  {'█' * full}{'░' * (_BAR - full)}"
        line = plain(f"… {step.name:<11} {step.state}{bar}")
        _draw(f"\r\x1b[2K{line[: shutil.get_terminal_size().columns - 1]}")


_display = _Display()


def _is_terminal() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb") and not json_lines.is_asked_for()


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Print on one line the outcome of a step and its duration; an exception is printed, and raised again."""
    current = Step(name)
    _display.begin(current)
    mark, colour, state, outcome = "✓", "32", "ok", ""
    try:
        yield current
    except BaseException as error:
        mark, colour, state = "✗", "31", "stopped" if is_stopping() else "failed"
        outcome = "stopped" if is_stopping() else f"failed: {in_one_line(error)}"
        raise
    finally:
        _display.end(current)
        seconds = time.monotonic() - current.started
        told = plain(outcome or current.outcome)
        facts = {"stage": plain(name), "state": state, "outcome": told, "seconds": round(seconds, 3)}
        _display.write(f"{mark} {plain(name):<11} {told} ({seconds:.1f} s)", colour, facts)


def announce(text: str) -> None:
    """The first line of a run: it stays in a log; on a terminal the next line takes its place."""
    if _is_terminal():
        _draw(f"\r\x1b[2K… {plain(text)}")
    else:
        _logger.info("… %s", plain(text))


def clear() -> None:
    """Make room on a terminal for a line on stdout."""
    if _is_terminal():
        _draw("\r\x1b[2K")


def tell(text: str) -> None:
    """One line about the step under way."""
    _display.write(f"  {plain(text)}" if not _is_terminal() else f"  … {plain(text)}")


def _draw(text: str) -> None:
    """Write genchi's own marks and colours; every text among them is plain."""
    stream = drawing_on(sys.stderr)
    stream.write(text)
    stream.flush()


def show_lines() -> None:
    """Send genchi's own lines to stderr."""
    if not _logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        is_json = json_lines.is_asked_for()
        handler.setFormatter(json_lines.JsonLines() if is_json else logging.Formatter("%(message)s"))
        _logger.addHandler(handler)
        _logger.propagate = False


def track(items: Iterable[T], name: str, total: int) -> Iterator[T]:
    """`items`, counted in the step under way while they are worked through."""
    with counting(name, total) as advance:
        for item in items:
            yield item
            advance()


@contextmanager
def counting(name: str, total: int) -> Iterator[Callable[[], None]]:
    """A function to call for each of `total` things that is done in the step under way.

    Within a count of several things it counts nothing: the outer one is shown.
    """
    current = _display.current or Step(name)
    if current.total > 1:
        yield lambda: None
        return
    current.reached(name, 0, total)

    def advance() -> None:
        current.done += 1

    try:
        yield advance
    finally:
        current.doing, current.done, current.total = "", 0, 0


def reached(name: str, done: int, total: int) -> None:
    """Say how far the step under way is, where something else counts."""
    if current := _display.current:
        current.reached(name, done, total)

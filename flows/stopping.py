"""Ending a command by SIGINT (Ctrl-C) or SIGTERM within seconds, whatever it is doing.

The first signal raises KeyboardInterrupt in the main thread, so that what is under way is undone in order. A thread
watches: GRACE_S seconds later, or at a second signal, it ends the process at once. That covers what does not react to
an exception: a query in C, a thread that waits for a socket, a library that swallows it. Nothing is lost by it, because
a killed run is repaired by the next.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from flows.child_processes import kill_children

GRACE_S = 5.0
_SAME_SIGNAL_S = 0.5  # `timeout` and others send it to the process and to its group: that is one request
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_MARK = b"\0"


class _State:
    """The signal that asked the process to end, and when; none so far if `number` is 0. `pipe` leads to the watcher."""

    number = 0
    at = 0.0
    pipe = -1
    is_read = threading.Event()


def is_stopping() -> bool:
    """Whether a signal asked this process to end.

    Signals reach the watcher through a pipe: it has seen all that came before this question when it has read the mark.
    """
    if _State.pipe >= 0 and not _State.number:
        _State.is_read.clear()
        with suppress(OSError):
            os.write(_State.pipe, _MARK)
            _State.is_read.wait(1)
    return _State.number != 0


@contextmanager
def stopping_on_signals(how_to_go_on: Callable[[], str]) -> Iterator[None]:
    """Within the block, SIGINT and SIGTERM end the process: exit code 130 or 143, after one line on stderr.

    `how_to_go_on` makes the line. Signals that were ignored before, as for a command in the background of a script,
    stay ignored. Does nothing outside the main thread, where Python allows no handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    masked = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # until they are handled
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in handlers.items():
        if handler != signal.SIG_IGN:
            # asyncio adds its own handling of Ctrl-C only where the handler is Python's default
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else _interrupt)
    # The number of a signal reaches the pipe even while the main thread is busy in C, and whoever replaces a handler.
    fd_before, _State.pipe = signal.set_wakeup_fd(writer, warn_on_full_buffer=False), writer
    watcher = threading.Thread(target=_watch, args=(reader, how_to_go_on), name="genchi-signals", daemon=True)
    watcher.start()
    hook_before = sys.unraisablehook
    # Python ignores, with a traceback, what is raised in a `__del__`; that our own request was so is no news
    sys.unraisablehook = lambda error: None if is_stopping() else hook_before(error)
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, masked)
        yield
    except BaseException:
        if is_stopping():
            _leave()
        raise
    else:
        if is_stopping():  # whatever swallowed the exception: it was asked to end
            _leave()
    finally:
        sys.unraisablehook = hook_before
        _State.pipe = -1
        signal.set_wakeup_fd(fd_before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        os.close(writer)
        watcher.join()
        os.close(reader)


def _interrupt(number: int, _: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _watch(reader: int, how_to_go_on: Callable[[], str]) -> None:
    """Read the numbers of signals until the pipe's other end is closed."""
    while True:
        left = _State.at + GRACE_S - time.monotonic() if _State.number else None
        ready, _, _ = select.select([reader], [], [], left if left is None else max(0.0, left))
        if not ready:
            _leave()
        numbers = os.read(reader, 64)
        if not numbers:
            return
        for number in numbers:
            if number in _SIGNALS:
                _request(number, how_to_go_on)
        if _MARK in numbers:
            _State.is_read.set()


def _request(number: int, how_to_go_on: Callable[[], str]) -> None:
    now = time.monotonic()
    if not _State.number:
        _State.number, _State.at = number, now
        if select.select([], [2], [], 0)[1]:  # a reader of stderr that has stopped reading must not keep us
            with suppress(OSError):
                os.write(2, f"{how_to_go_on()}\n".encode())
    elif now - _State.at > _SAME_SIGNAL_S:
        _leave()


def _leave() -> NoReturn:
    """End the process now: no exit hook and no thread is waited for. Every line was flushed when it was written."""
    kill_children()
    os._exit(128 + _State.number)


def _forget_signals() -> None:
    """In a child that a library forks: its signals are not ours."""
    if threading.current_thread() is threading.main_thread():
        signal.set_wakeup_fd(-1)


os.register_at_fork(after_in_child=_forget_signals)

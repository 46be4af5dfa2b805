"""The processes that genchi starts. They end when it ends, however it ends, and never hold its output.

A child is in a session of its own, so that a signal to genchi's process group does not reach it: genchi decides when it
ends. Its stdin is a pipe that the kernel closes when genchi is gone; a child has to end itself when it reads its end.
"""

import os
import subprocess
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress

_END_S = 1.0  # the kernel ends a killed process at once, unless it waits for a disk
_running: "weakref.WeakSet[subprocess.Popen[bytes]]" = weakref.WeakSet()


def start_child(
    command: Sequence[str], *, stdout: int, stderr: int | None = None, environment: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start a process of our own. `stdout` and `stderr` are as for Popen; the default is genchi's stderr."""
    process = subprocess.Popen(  # noqa: S603 - commands are genchi's own
        command, stdin=subprocess.PIPE, stdout=stdout, stderr=stderr, env=environment, start_new_session=True
    )
    _running.add(process)
    return process


def end_with_parent() -> None:
    """In a child: end this process when genchi does, even while it imports what it needs."""
    threading.Thread(target=_end_with_stdin, daemon=True).start()


def _end_with_stdin() -> None:
    while os.read(0, 1):
        pass
    os._exit(0)


def kill_children() -> None:
    """Kill every child that still runs, and wait until it is gone."""
    running = list(_running)
    for process in running:
        with suppress(OSError):
            process.kill()
    for process in running:
        with suppress(OSError, subprocess.TimeoutExpired):
            process.wait(_END_S)

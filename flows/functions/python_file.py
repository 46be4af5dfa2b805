"""The functions of a workspace's Python file, run in a worker process with a time limit.

The worker gets copies, which it may change: nothing that a function does to what it is given reaches anything else.
What it prints is shown on stderr as text, without the secrets of the configuration.
"""

import hashlib
import json
import os
import select
import subprocess
import sys
import time
import weakref
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import IO, Any, Literal, Self

from flows.child_processes import start_child
from flows.errors import ConfigError
from flows.functions import function_worker
from flows.outgoing import plain

FUNCTION_S, IMPORT_S = 10.0, 60.0
_READ_BYTES = 1 << 16
_SHOWN_S = 1.0  # a process that the worker has started may keep its output open
Returns = Literal["score", "vectors", "nothing"]


class TimeLimitError(Exception):
    """A function, or a pattern, did not end within its time limit."""


class UnusableFunctionError(ConfigError):
    """There is no such file or function, the file fails to load, or the function does not take what it is given."""


class FunctionError(Exception):
    """A function raised, or its worker ended by itself."""


class PythonFile:
    """One file of Python checks. Its worker starts at the first use, and again after one that had to be ended."""

    def __init__(self, file: Path, call_s: float = FUNCTION_S, import_s: float = IMPORT_S) -> None:
        self.file = file
        self._call_s, self._import_s = call_s, import_s
        try:
            self.text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UnusableFunctionError(f"{file}: cannot be read: {error}") from None
        self._process: subprocess.Popen[bytes] | None = None
        self._close: weakref.finalize[..., Any] | None = None
        self._lock = Lock()
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def check(self, function: str, given: int, args: Iterable[str] = ()) -> None:
        """Raise UnusableFunctionError if the file fails to load, has no such function, or if that function does not
        take `given` arguments and these by name.
        """
        try:
            problem = self._ask({"check": function, "given": given, "args": list(args)})["problem"]
        except (FunctionError, TimeLimitError) as error:
            raise UnusableFunctionError(f"{self.file} {error}") from None
        if problem:
            raise UnusableFunctionError(f"{self.file} {problem}")

    def call(
        self, function: str, given: Sequence[Any], args: Mapping[str, Any] | None = None, returns: Returns = "score"
    ) -> Any:
        """What a function returns for what it is given. As a `score`: a bool, a float, or a text that shows anything
        else; as `vectors`: a list of lists of floats; `nothing`: None, whatever it is.

        Raises FunctionError if it raises, and TimeLimitError if it does not end in time.
        """
        request = {"function": function, "given": list(given), "args": dict(args or {}), "returns": returns}
        return self._ask(request)["result"]

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        line = json.dumps(request).encode() + b"\n"
        with self._lock:
            try:
                if self._process is None:
                    self._start()
                reply = self._exchange(line, self._call_s)
            except BaseException:
                self.end()
                raise
        if "error" in reply:
            raise FunctionError(reply["error"])
        return reply

    def _start(self) -> None:
        name = f"_genchi_workspace_{hashlib.sha256(str(self.file).encode()).hexdigest()[:12]}"
        limits = (str(self._import_s), str(self._call_s))
        # -P: the worker's own folder is not a place to import from
        command = [sys.executable, "-P", function_worker.__file__, str(self.file), name, *limits]
        self._process = start_child(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        showing = Thread(target=_show, args=(self._process.stderr,), daemon=True)
        self._close = weakref.finalize(self, _end, self._process, showing)
        showing.start()
        self._buffer = b""
        try:
            loaded = self._exchange(b"", self._import_s)
        except TimeLimitError:
            raise FunctionError(f"fails to load: it took longer than {self._import_s:g} s") from None
        if "error" in loaded:
            raise FunctionError(loaded["error"])

    def _exchange(self, line: bytes, limit_s: float) -> dict[str, Any]:
        """Write a line and read one, in `limit_s` seconds."""
        process, until = self._process, time.monotonic() + limit_s
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        out, into = process.stdin.fileno(), process.stdout.fileno()
        os.set_blocking(out, False)
        waiting = select.poll()
        waiting.register(into, select.POLLIN)
        if line:
            waiting.register(out, select.POLLOUT)
        while b"\n" not in self._buffer:
            left_s = until - time.monotonic()
            ready = dict(waiting.poll(max(0.0, left_s * 1000)))
            if into in ready:
                piece = os.read(into, _READ_BYTES)
                if not piece:
                    raise FunctionError(f"the function ended its process (exit code {process.wait()})")
                self._buffer += piece
            elif left_s <= 0:
                raise TimeLimitError(f"the function took longer than {limit_s:g} s")
            elif out in ready:
                with suppress(BrokenPipeError):  # it ended: reading tells why
                    line = line[os.write(out, line) :]
                if not line or ready[out] & select.POLLERR:
                    waiting.unregister(out)
        first, _, self._buffer = self._buffer.partition(b"\n")
        reply: dict[str, Any] = json.loads(first)
        return reply

    def end(self) -> None:
        """End the worker."""
        if self._close is not None:
            self._close()
        self._process = self._close = None


def _end(process: "subprocess.Popen[bytes]", showing: Thread) -> None:
    """Kill a worker and close its pipes; what it printed is shown first, and closed by the thread that shows it."""
    process.kill()
    process.wait()
    showing.join(_SHOWN_S)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def _show(printed: IO[bytes]) -> None:
    """Show what a worker prints, line by line, until it ends, or its output or genchi's own is closed."""
    with suppress(ValueError, OSError), printed:
        for line in printed:
            sys.stderr.write(plain(line.decode(errors="replace"), keep="\n\t"))

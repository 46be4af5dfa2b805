"""The functions of a workspace's Python file, run in a worker process with a time limit.

The worker gets copies, which it may change: nothing that a function does to the example reaches other criteria.
"""

import json
import os
import select
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from flows.child_processes import start_child
from flows.evaluate.criteria import function_worker
from flows.evaluate.criteria.json_schema import UnusableError, hash_of
from flows.evaluate.criteria.time_limit import FUNCTION_S, IMPORT_S, TimeLimitError

_READ_BYTES = 1 << 16


class FunctionError(Exception):
    """A function raised, or its worker ended by itself."""


class PythonFile:
    """One file of Python checks. Its worker starts at the first use, and again after one that had to be ended."""

    def __init__(self, file: Path, call_s: float = FUNCTION_S, import_s: float = IMPORT_S) -> None:
        self.file = file
        self._call_s, self._import_s = call_s, import_s
        self.text = file.read_text(encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self._close: weakref.finalize[..., Any] | None = None
        self._lock = Lock()
        self._buffer = b""

    def missing(self, names: list[str]) -> list[str]:
        """Those of `names` that are no functions of the file. Raises FunctionError if it fails to load."""
        reply = self._ask({"names": names})
        found: list[str] = reply["missing"]
        return found

    def call(self, function: str, example: Mapping[str, Any], answer: str, args: Mapping[str, Any]) -> Any:
        """What a function returns for an example and an answer: a bool, a float, or a text that shows anything else.

        Raises FunctionError if it raises, and TimeLimitError if it does not end in time.
        """
        request = {"function": function, "example": example, "answer": answer, "args": args}
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
        name = f"_genchi_workspace_{hash_of(str(self.file))}"
        limits = (str(self._import_s), str(self._call_s))
        # -P: the worker's own folder is not a place to import from
        command = [sys.executable, "-P", function_worker.__file__, str(self.file), name, *limits]
        self._process = start_child(command, stdout=subprocess.PIPE)
        self._close = weakref.finalize(self, _end, self._process)
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


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a worker and close its pipes."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def load_file(where: str, file: Path, loaded: dict[Path, PythonFile], function: str) -> PythonFile:
    """The file of a python criterion, imported once for all criteria. It is trusted like the configuration.

    Raises UnusableError if there is no such file or function, or if the file fails to load.
    """
    if file not in loaded:
        if not file.is_file():
            raise UnusableError(f"{where}: no such file: {file}; write it, or correct `function`")
        loaded[file] = PythonFile(file)
    try:
        missing = loaded[file].missing([function])
    except FunctionError as error:
        raise UnusableError(f"{where}: {file} {error}") from None
    if missing:
        raise UnusableError(f"{where}: {file} has no function `{function}`; write it, or correct `function`")
    return loaded[file]

"""Runs the functions of one Python file in a process of its own, which can be ended. Uses the standard library alone.

The parent sends one JSON object a line: {"function", "given", "args", "returns"}, or {"check", "given", "args"} to ask
whether a function of that name takes so many arguments and those by name. The process replies with one line when the
file is imported, {} or {"error"}, and then with one line to each request: {"result"}, {"problem"} or {"error"}. What
the functions print goes to stderr.
"""

import faulthandler
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from numbers import Real
from pathlib import Path
from types import ModuleType
from typing import IO, Any

_GRACE_S = 5.0  # the parent ends this process at the limit; if the parent is gone, it ends itself a little later


def main(file: str, module_name: str, import_s: float, call_s: float) -> None:
    """Import `file`, then answer the parent's requests until it closes the pipe."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    with Path(os.devnull).open("w") as nowhere:
        with _ending_after(import_s, nowhere):
            module, problem = _load(Path(file), module_name)
        _write(replies, {"error": problem} if module is None else {})
        if module is None:
            return
        for line in requests:
            with _ending_after(call_s, nowhere):
                reply = _reply(module, json.loads(line))
            _write(replies, reply)


def _write(replies: IO[str], reply: dict[str, Any]) -> None:
    replies.write(json.dumps(reply) + "\n")
    replies.flush()


@contextmanager
def _ending_after(seconds: float, nowhere: IO[str]) -> Iterator[None]:
    """End this process if the block takes longer, even if it never lets another Python thread run."""
    faulthandler.dump_traceback_later(seconds + _GRACE_S, exit=True, file=nowhere)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def _load(file: Path, name: str) -> tuple[ModuleType | None, str | None]:
    """Import the file; or say why it fails. It can import the modules beside it."""
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        return None, "cannot be loaded"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look up a module by its name
    sys.path.insert(0, str(file.parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        return None, f"fails to load: {type(error).__name__}: {error}"
    return module, None


def _reply(module: ModuleType, request: dict[str, Any]) -> dict[str, Any]:
    if "check" in request:
        return {"problem": _misfit(module, request["check"], request["given"], request["args"])}
    function = getattr(module, request["function"])
    try:
        return {"result": _RESULTS[request["returns"]](function(*request["given"], **request["args"]))}
    except (Exception, SystemExit) as error:
        return {"error": f"the function raised {type(error).__name__}: {error}"}


def _misfit(module: ModuleType, name: str, given: int, args: list[str]) -> str | None:
    """Why a function cannot be called so: there is none of that name, or it does not take these arguments."""
    function = getattr(module, name, None)
    if not callable(function):
        return f"has no function `{name}`"
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # one that is written in C may have none
        return None
    try:
        signature.bind(*range(given), **dict.fromkeys(args))
    except TypeError as error:
        return f"`{name}` does not take what it is given: {error}"
    return None


def _vectors(result: Any) -> list[list[float]]:
    """A list of vectors, or an array of two dimensions, as lists of floats. Raises TypeError for anything else."""
    rows = result.tolist() if hasattr(result, "tolist") else result
    if not isinstance(rows, list | tuple):
        raise TypeError(f"returned {type(result).__name__}, and not a list of vectors")
    return [[float(value) for value in (row.tolist() if hasattr(row, "tolist") else row)] for row in rows]


def _plain(result: Any) -> Any:
    """A bool or a real number as Python's bool or float, also if numpy made it; a text that shows anything else."""
    if getattr(result, "shape", None) == () and hasattr(result, "item"):
        result = result.item()
    if isinstance(result, bool):
        return result
    return float(result) if isinstance(result, Real | Decimal) else repr(result)


_RESULTS: dict[str, Callable[[Any], Any]] = {"score": _plain, "vectors": _vectors, "nothing": lambda _: None}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))

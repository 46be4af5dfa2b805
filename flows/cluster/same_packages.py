"""Which packages a process has, as far as results rest on them: all processes of a run must have the same."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from flows.errors import RunError

_PACKAGES = ("genchi", "duckdb", "numpy", "pyarrow", "scikit-learn", "scipy", "wordllama")


@cache
def packages() -> Mapping[str, str]:
    """The versions of Python and of the packages, by name."""
    return {"python": f"{sys.version_info[0]}.{sys.version_info[1]}"} | {name: _version(name) for name in _PACKAGES}


def differences(theirs: Mapping[str, str], mine: Mapping[str, str]) -> list[str]:
    """What a worker, which has `theirs`, has in another version than the run, which has `mine`."""
    return [
        f"{name} {theirs.get(name, 'none')}, and the run {wanted}"
        for name, wanted in mine.items()
        if theirs.get(name) != wanted
    ]


@dataclass(frozen=True, repr=False)
class Work:
    """A task: `function(item, ...)`, and the packages of the run. Nothing of it is shown: clusters log what fails."""

    function: Callable[..., Any]
    item: Any
    of_run: Mapping[str, str]


def done(work: Work, *common: Any) -> Any:
    """Do a task on a worker. Raises RunError where its packages are not those of the run."""
    if wrong := differences(packages(), work.of_run):
        raise RunError(f"a worker has {wrong[0]}; install the same requirements.lock on all workers")
    return work.function(work.item, *common)


def asked(work: Work) -> Any:
    """Do a task on a worker, whatever its packages are."""
    return work.function(work.item)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"

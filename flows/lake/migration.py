"""The version of a lake, and the steps that bring an older one up to date.

A step must be repeatable: after a run is killed in the middle, the next one does it again. It must not lose data,
because every run that takes the lake's lock migrates the lake automatically.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flows.errors import RunError
from flows.lake.backends import Backend

# The lake's version file; a lake with tables and without this file has version 1.
_NOTE = "_version"


@dataclass(frozen=True)
class Step:
    """The step to `version`: its description and its function."""

    version: int
    what: str
    run: Callable[[Backend], None]


def _rename_table(old: str, new: str) -> Callable[[Backend], None]:
    def run(backend: Backend) -> None:
        for name in backend.names(f"{old}/day=*/*.parquet"):
            backend.move(name, new + name.removeprefix(old))
        backend.clear(old)

    return run


STEPS = (Step(2, "the table `entrants` is now `model_variants`", _rename_table("entrants", "model_variants")),)
VERSION = STEPS[-1].version


def version_of(backend: Backend) -> int:
    """The version of the lake, from 1; a lake without tables has the current one. RunError if it cannot be read."""
    note = backend.read_text(_NOTE)
    if note is None:
        return 1 if backend.names("*/day=*/*.parquet") else VERSION
    if not note.strip().isdecimal():
        raise RunError(f"{backend.address}/{_NOTE}: expected a version number, found {note[:40]!r}; restore the file")
    return int(note)


def migrate(backend: Backend) -> list[str]:
    """Migrate the lake to the current version. Returns one sentence per step; the caller holds the lock.

    Raises RunError for a lake that was written by a later version of genchi.
    """
    version = version_of(backend)
    if version > VERSION:
        raise RunError(
            f"{backend.address}: the lake has version {version}, this genchi reads up to version {VERSION};"
            " install the genchi that wrote it, or a later one"
        )
    done = []
    for step in STEPS:
        if version < step.version:
            step.run(backend)
            done.append(step.what)
    if done or backend.read_text(_NOTE) is None:
        backend.write_text(_NOTE, f"{VERSION}\n")
    return done

"""The version of a lake, and the steps that bring an older one up to date.

A step must be repeatable: after a run is killed in the middle, the next one does it again. It must not lose data,
because every run migrates the lake automatically, before anything else.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flows.errors import RunError
from flows.lake.backends import Backend

# The lake's version file; a lake with tables and without this file has version 1.
_NOTE = "_version"


@dataclass(frozen=True)
class Step:
    """The step to `version`: its description and its function; None where no file changes.

    Such a step keeps an older genchi away, which would not know what this one relies on.
    """

    version: int
    what: str
    run: Callable[[Backend], None] | None


def _rename_table(old: str, new: str) -> Callable[[Backend], None]:
    def run(backend: Backend) -> None:
        for name in backend.names(f"{old}/day=*/*.parquet"):
            backend.move(name, new + name.removeprefix(old))
        backend.clear(old)

    return run


STEPS = (
    Step(2, "the table `entrants` is now `model_variants`", _rename_table("entrants", "model_variants")),
    Step(3, "a run has a lock of its own, and an older genchi would not see it", None),
)
VERSION = STEPS[-1].version


class OutdatedError(Exception):
    """The lake is older than this genchi, or has no note of its version: a run brings it up to date."""


def has_same_files(version: int) -> bool:
    """Whether the files of a lake of this version are named and laid out as those of the current one."""
    return version <= VERSION and all(step.run is None for step in STEPS if step.version > version)


def version_of(backend: Backend) -> int:
    """The version of the lake, from 1; a lake without tables has the current one. RunError if it cannot be read."""
    note = backend.read_text(_NOTE)
    if note is None:
        return 1 if backend.names("*/day=*/*.parquet") else VERSION
    if not note.strip().isdecimal():
        raise RunError(f"{backend.address}/{_NOTE}: expected a version number, found {note[:40]!r}; restore the file")
    return int(note)


def migrate(backend: Backend) -> list[str]:
    """Migrate the lake to the current version. Returns one sentence per step; the caller holds both locks.

    Raises RunError for a lake that was written by a later version of genchi.
    """
    version = _known_version(backend)
    done = []
    for step in STEPS:
        if version < step.version:
            if step.run is not None:
                step.run(backend)
            done.append(step.what)
    if done or backend.read_text(_NOTE) is None:
        backend.write_text(_NOTE, f"{VERSION}\n")
    return done


def require_current(backend: Backend) -> None:
    """Raise OutdatedError for a lake that has to be migrated, and RunError for one of a later version."""
    if _known_version(backend) < VERSION or backend.read_text(_NOTE) is None:
        raise OutdatedError


def _known_version(backend: Backend) -> int:
    version = version_of(backend)
    if version > VERSION:
        raise RunError(
            f"{backend.address}: the lake has version {version}, this genchi reads up to version {VERSION};"
            " install the genchi that wrote it, or a later one"
        )
    return version

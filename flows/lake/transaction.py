"""A run's files appear in the lake together or not at all.

They are staged in `_staging/<id>/`. Then `commit.json`, which lists the moves, is written next to them: this is the
commit. Then each file is moved to its final place, and the staging is cleared. A run that is killed before the commit
has published nothing. For a run that is killed after it, `recover` does the rest; it can be repeated. A reader without
the lock may see some new and some old files for the milliseconds between the first move and the last.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from flows.lake import lock
from flows.lake.backends import Backend

_ROOT = "_staging"
_COMMIT = "commit.json"

NameOf = Callable[[str, date, str], str]


class Staging:
    """The files to publish. They are named by table, day and file, as everywhere in the lake."""

    def __init__(self, folder: Path, name_of: NameOf) -> None:
        self._folder = folder
        self._name_of = name_of
        self.files: dict[str, Path] = {}
        self.removed: set[str] = set()

    def place(self, table: str, day: date, file: str = "data") -> Path:
        """The path to write the Parquet file that will replace this one; the same path for each call."""
        name = self._name_of(table, day, file)
        self.removed.discard(name)
        return self.files.setdefault(name, self._folder / f"{len(self.files)}.parquet")

    def scratch(self, name: str) -> Path:
        """The path to write a file that may be published later: it is moved to its `place`, or deleted."""
        return self._folder / f"{name}.parquet"

    def remove(self, table: str, day: date, file: str = "data") -> None:
        """Delete this file when everything is published; does nothing if it does not exist."""
        name = self._name_of(table, day, file)
        if name in self.files:
            raise ValueError(f"{name} is staged, and cannot be removed too")
        self.removed.add(name)


@contextmanager
def staging(backend: Backend, name_of: NameOf) -> Iterator[Staging]:
    """Stage files in the block, and publish them if it succeeds; else publish nothing.

    Raises RuntimeError if this process does not hold the lake's lock.
    """
    if not lock.is_held(backend):
        raise RuntimeError(f"{backend.address}: publishing needs the lake's lock")
    recover(backend)  # what an earlier publication of this run could not finish
    name = f"{_ROOT}/{uuid.uuid4().hex}"
    with backend.scratch(name) as folder:
        staged = Staging(folder, name_of)
        try:
            yield staged
            unwritten = [target for target, path in staged.files.items() if not path.is_file()]
            if unwritten:
                raise ValueError(f"{unwritten[0]} was staged, but not written")
            for path in staged.files.values():
                backend.keep(path, f"{name}/{path.name}")
            lock.is_held(backend)  # raises if it was lost meanwhile
        except BaseException:
            backend.clear(name)
            raise
        what = {
            "files": {target: path.name for target, path in staged.files.items()},
            "remove": sorted(staged.removed),
        }
        backend.write_text(f"{name}/{_COMMIT}", json.dumps(what))
    _finish(backend, name)


def recover(backend: Backend) -> None:
    """Finish unfinished commits; clear what was not committed. The caller holds the lock."""
    for child in backend.children(_ROOT):
        _finish(backend, f"{_ROOT}/{child}")


def _finish(backend: Backend, name: str) -> None:
    """Publish a commit; all steps can be repeated. `commit.json` is cleared first: without it no step is done again.

    A commit with missing files is from a run that had lost the lock, and is not valid.
    """
    written = backend.read_text(f"{name}/{_COMMIT}")
    if written is not None:
        what = json.loads(written)
        if backend.is_whole(name, what["files"].values()):
            for target, file in what["files"].items():
                backend.move(f"{name}/{file}", target)
            for target in what["remove"]:
                backend.remove(target)
        backend.remove(f"{name}/{_COMMIT}")
    backend.clear(name)

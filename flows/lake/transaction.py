"""A run's files appear in the lake together or not at all.

They are staged in `_staging/<id>/`. Then `commit.json`, which says what goes where, is put beside them: that is the
moment. Then each file is moved into its place, and the staging is cleared. Who is killed before that moment has
published nothing; of one who is killed after it, `recover` does the rest, as often as it takes. A reader who does
not hold the lock may see some of the files new and some old for the milliseconds between the first move and the last.
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
    """What is to be published. Files are named by table, day and file, as everywhere in the lake."""

    def __init__(self, folder: Path, name_of: NameOf) -> None:
        self._folder = folder
        self._name_of = name_of
        self.files: dict[str, Path] = {}
        self.removed: set[str] = set()

    def place(self, table: str, day: date, file: str = "data") -> Path:
        """Where to write the Parquet file that is to replace this one; the same path when it is asked again."""
        name = self._name_of(table, day, file)
        self.removed.discard(name)
        return self.files.setdefault(name, self._folder / f"{len(self.files)}.parquet")

    def scratch(self, name: str) -> Path:
        """Where to write what may yet be published: it is moved to its `place`, or taken away."""
        return self._folder / f"{name}.parquet"

    def remove(self, table: str, day: date, file: str = "data") -> None:
        """Take this file away when all is published; nothing happens where there is none."""
        name = self._name_of(table, day, file)
        if name in self.files:
            raise ValueError(f"{name} is staged, and cannot be removed too")
        self.removed.add(name)


@contextmanager
def staging(backend: Backend, name_of: NameOf) -> Iterator[Staging]:
    """Stage files in the block, and publish them where it ends well; else nothing.

    Raises RuntimeError where this process does not hold the lake's lock.
    """
    if not lock.is_held(backend):
        raise RuntimeError(f"{backend.address}: publishing needs the lake's lock")
    recover(backend)  # what an earlier publication of this very run could not finish
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
            lock.is_held(backend)  # raises where it was lost meanwhile
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
    """Finish what was committed and not finished; clear what was not committed. The caller holds the lock."""
    for child in backend.children(_ROOT):
        _finish(backend, f"{_ROOT}/{child}")


def _finish(backend: Backend, name: str) -> None:
    """All steps can be repeated. `commit.json` goes first of what is cleared: without it nothing is done again.

    A commit whose files are not all there is one of a run that had lost the lock, and is none.
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

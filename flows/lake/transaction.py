"""A run's files appear in the lake together or not at all.

They are staged in `_runs/<id>/`, or in `_staging/<id>/` by a process that is no run and holds the lock on files for so
long. Then, under the lock on files, `commit.json` is written next to them, which lists the moves: this is the commit.
Then each file is moved to its final place, and the staging is cleared. A process that is killed before the commit has
published nothing. For one that is killed after it, `recover` does the rest; it can be repeated. A reader without the
lock may see some new and some old files for the milliseconds between the first move and the last.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from flows.errors import RunError, in_one_line
from flows.lake import lock
from flows.lake.atomic import naming_write
from flows.lake.backends import Backend
from flows.lake.inventory import Entry, Inventory, entry_of
from flows.lake.parquet_files import CorruptError, batches_of

_OF_RUNS, _OF_OTHERS = "_runs", "_staging"
_COMMIT = "commit.json"
# A partition of a table, or a published day of a mart, or a whole one.
_TARGET = re.compile(
    r"(?:[a-z][a-z_]*/day=\d{4}-\d\d-\d\d/[^/\\\x00]+"
    r"|[A-Za-z_]\w*/[A-Za-z_]\w*/(?:day=\d{4}-\d\d-\d\d/)?(?:data|empty))\.parquet",
    re.ASCII,
)
_STAGED = re.compile(r"[^/\\\x00]+\.parquet")

NameOf = Callable[[str, date, str], str]


@dataclass(frozen=True)
class StagedFile:
    """A file that another process has put into the staging, and what it is; see worker_staging.py."""

    name: str
    entry: Entry


class Staging:
    """The files to publish. They are named by table, day and file, as everywhere in the lake.

    `name` is that of the staging in the store; `adopted` are files of other processes, by what they will be.
    """

    def __init__(self, backend: Backend, name: str, folder: Path, name_of: NameOf) -> None:
        self._backend, self.name = backend, name
        self._folder = folder
        self._name_of = name_of
        self.files: dict[str, Path] = {}
        self.adopted: dict[str, StagedFile] = {}
        self.removed: set[str] = set()

    def place(self, table: str, day: date, file: str = "data") -> Path:
        """The path to write the Parquet file that will replace this one; the same path for each call."""
        return self.place_named(self._name_of(table, day, file))

    def place_named(self, name: str) -> Path:
        """The same for a file that is not one of a table, by its name in the lake."""
        self.removed.discard(name)
        return self.files.setdefault(name, self._folder / f"{len(self.files)}.parquet")

    def scratch(self, name: str) -> Path:
        """The path to write a file that may be published later: it is moved to its `place`, or deleted."""
        return self._folder / f"{name}.parquet"

    def adopt(self, file: StagedFile, table: str, day: date, name: str = "data") -> None:
        """Publish a file of another process as this one."""
        target = self._name_of(table, day, name)
        self.removed.discard(target)
        self.adopted[target] = file

    def batches(self, file: StagedFile) -> Iterator[pa.Table]:
        """The rows of a file of another process. Raises RunError where it is not to be seen."""
        name = f"{self.name}/{file.name}"
        source = self._backend.source(name)
        if source is None:
            raise _unseen(self._backend, name)
        yield from batches_of(source, place=self._backend.place(name))

    def remove(self, table: str, day: date, file: str = "data") -> None:
        """Delete this file when everything is published; does nothing if it does not exist."""
        self.remove_named(self._name_of(table, day, file))

    def remove_named(self, name: str) -> None:
        """The same for a file that is not one of a table, by its name in the lake."""
        if name in self.files or name in self.adopted:
            raise ValueError(f"{name} is staged, and cannot be removed too")
        self.removed.add(name)


@contextmanager
def staging(backend: Backend, name_of: NameOf, locked: Callable[[], AbstractContextManager[None]]) -> Iterator[Staging]:
    """Stage files in the block, and publish them if it succeeds; else publish nothing.

    `locked` holds the lock on files: only the publication needs it. Raises RuntimeError if this process is no run and
    does not hold that lock.
    """
    is_run, is_locked = lock.is_held(backend, lock.RUN), lock.is_held(backend, lock.WRITE)
    if not (is_run or is_locked):
        raise RuntimeError(f"{backend.address}: publishing needs the lake's lock, or a run")
    lock.check(backend)
    if not is_run:
        recover(backend)  # what an earlier publication under this lock could not finish; a run takes it each time anew
    name = f"{_OF_RUNS if is_run else _OF_OTHERS}/{uuid.uuid4().hex}"
    with ExitStack() as held:
        with backend.scratch(name) as folder:
            staged = Staging(backend, name, folder, name_of)
            try:
                with naming_write(backend.place(name)):
                    yield staged
                entries = _complete(backend, staged)
                held.enter_context(locked())
                lock.check(backend)  # it may have been lost meanwhile
            except BaseException:
                backend.clear(name)
                raise
            files: dict[str, Path | StagedFile] = {**staged.files, **staged.adopted}
            what = {
                "files": {target: file.name for target, file in files.items()},
                "remove": sorted(staged.removed),
                "entries": {target: asdict(entry) for target, entry in entries.items()},
            }
            Inventory(backend).expect([*files, *staged.removed])
            backend.write_text(f"{name}/{_COMMIT}", json.dumps(what))
        _finish(backend, name)


def _complete(backend: Backend, staged: Staging) -> dict[str, Entry]:
    """Bring all that is staged into the store, and say what each file is. Raises where something is missing."""
    unwritten = [target for target, path in staged.files.items() if not path.is_file()]
    if unwritten:
        raise ValueError(f"{unwritten[0]} was staged, but not written")
    entries = {target: entry_of(path) for target, path in staged.files.items()}
    entries |= {target: file.entry for target, file in staged.adopted.items()}
    if lost := {file.name for file in staged.adopted.values()} - set(backend.children(staged.name)):
        raise _unseen(backend, f"{staged.name}/{min(lost)}")
    for path in staged.files.values():
        backend.keep(path, f"{staged.name}/{path.name}")
    return entries


def _unseen(backend: Backend, name: str) -> RunError:
    return RunError(
        f"{backend.place(name)}: a worker has written this file, and it is not to be seen here; put the lake into a"
        " folder that all workers share, under the same path, or into an object store"
    )


def recover(backend: Backend, *, is_new_run: bool = False) -> None:
    """Finish unfinished commits, and clear what was staged under the lock on files, which the caller holds.

    What runs have staged and not committed is cleared only where `is_new_run`: else it may be of one that is alive.
    """
    for root in (_OF_OTHERS, _OF_RUNS):
        for child in backend.children(root):
            name = f"{root}/{child}"
            if root == _OF_OTHERS or is_new_run or backend.exists(f"{name}/{_COMMIT}"):
                _finish(backend, name)


def _finish(backend: Backend, name: str) -> None:
    """Publish a commit; all steps can be repeated. `commit.json` is cleared first: without it no step is done again.

    A commit with missing files is from a run that had lost the lock, and is not valid. Raises CorruptError for a commit
    that cannot be read, or that names files outside the lake's tables, and RunError where the lock was lost.
    """
    written = backend.read_text(f"{name}/{_COMMIT}")
    if written is not None:
        commit = _read_commit(backend, f"{name}/{_COMMIT}", written)
        if backend.is_whole(name, commit.files.values()):
            inventory = Inventory(backend)
            for target, file in commit.files.items():
                lock.check(backend)  # who has it by now does the rest, and may have replaced the target since
                backend.move(f"{name}/{file}", target)
                if target in commit.entries:
                    inventory.record(target, commit.entries[target])
            for target in commit.removed:
                backend.remove(target)
                inventory.record(target, None)
        backend.remove(f"{name}/{_COMMIT}")
    backend.clear(name)


@dataclass(frozen=True)
class _Commit:
    """The moves of a publication: the staged file by the name of its target, and the names of what is removed."""

    files: dict[str, str]
    removed: list[str]
    entries: dict[str, Entry]


def _read_commit(backend: Backend, name: str, written: str) -> _Commit:
    try:
        what = json.loads(written)
        entries = {target: Entry(**entry) for target, entry in what.get("entries", {}).items()}
        commit = _Commit(dict(what["files"]), list(what["remove"]), entries)
        for target in (*commit.files, *commit.removed):
            if not _TARGET.fullmatch(target):
                raise ValueError(f"{target[:100]!r} is not the name of a partition")
        for file in commit.files.values():
            if not _STAGED.fullmatch(file):
                raise ValueError(f"{file[:100]!r} is not the name of a staged file")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        place = backend.place(name)
        folder = str(place).removesuffix(f"/{_COMMIT}")
        raise CorruptError(
            f"{place}: not a valid commit ({in_one_line(error)}); delete the folder {folder} and run the same command"
            " again; it reads its input files again"
        ) from None
    return commit

"""Files that another process than the one that publishes puts into its staging, in the store of the lake itself.

Each attempt at a task has names of its own, and only a finished one tells them: a task that was done twice counts once,
and what the other attempt has left is cleared with the staging.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.errors import RunError
from flows.lake.backends import Backend, LocalBackend
from flows.lake.inventory import entry_of
from flows.lake.lake import Lake
from flows.lake.transaction import StagedFile


class WorkerStaging:
    """The files of one attempt at a task."""

    def __init__(self, backend: Backend, name: str, folder: Path) -> None:
        self._backend, self._name, self._folder = backend, name, folder
        self._attempt = uuid.uuid4().hex

    def scratch(self, name: str) -> Path:
        """The path to write a file that is then handed in."""
        return self._folder / f"{self._attempt}-{name}.parquet"

    def hand_in(self, path: Path) -> StagedFile:
        """Put a complete file into the staging. Returns what the publishing process needs to adopt it."""
        entry = entry_of(path)
        self._backend.keep(path, f"{self._name}/{path.name}")
        if not isinstance(self._backend, LocalBackend):
            path.unlink()
        return StagedFile(path.name, entry)


@contextmanager
def join_staging(lake: Lake, name: str) -> Iterator[WorkerStaging]:
    """Write into the staging `name` (see `Staging.name`) of a run on another machine. Needs no lock.

    Raises RunError where this machine does not see the staging: a lake in a folder must be in one that all share.
    """
    backend = lake.backend
    if isinstance(backend, LocalBackend):
        folder = backend.place(name)
        if not folder.is_dir():
            raise RunError(
                f"{folder}: a worker does not see this folder; put the lake into a folder that all workers share, under"
                " the same path, or into an object store"
            )
        yield WorkerStaging(backend, name, folder)
    else:
        with backend.scratch(name) as folder:
            yield WorkerStaging(backend, name, folder)

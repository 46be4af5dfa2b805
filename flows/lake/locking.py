"""What is done when a lock of a lake is taken or given back: to mend what a dead process left, and to migrate.

Whoever newly takes the lock on files finishes what was committed: its process is dead, because a commit is written and
finished under that lock. It clears what was staged under that lock, too. What a run has staged is cleared by the next
run alone, because others cannot tell a dead run from a living one.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from flows.lake import lock, migration, transaction
from flows.lake.backends import Backend
from flows.lake.inventory import Inventory

_log = logging.getLogger("genchi")


@contextmanager
def running(backend: Backend, verb: str, patience: float = lock.PATIENCE) -> Iterator[None]:
    """Be a run: the only one on this lake, until the block ends; reentrant within one process.

    Waits at most `patience` seconds for another run, and for who replaces files. Raises LockedError if they take
    longer, and RunError for a lake of a later version.
    """
    started, end = time.monotonic(), partial(_end, backend)

    def begin() -> None:
        left = max(0.0, patience - (time.monotonic() - started))
        with lock.holding(backend, lock.WRITE, verb, left, on_acquired=partial(_begin, backend), on_release=end):
            pass

    with lock.holding(backend, lock.RUN, verb, patience, on_acquired=begin):
        yield


@contextmanager
def replacing_files(backend: Backend, verb: str, patience: float = lock.PATIENCE) -> Iterator[None]:
    """Let nobody else replace files of this lake until the block ends; reentrant within one process.

    Within a run, its verb is told to who waits. Raises as `running` does.
    """
    known, end = lock.verb_of_run(backend), partial(_end, backend)

    def take_over() -> None:
        if known is None:
            migration.require_current(backend)
        recover(backend)

    def hold() -> None:
        held.enter_context(
            lock.holding(backend, lock.WRITE, known or verb, patience, on_acquired=take_over, on_release=end)
        )

    with ExitStack() as held:
        try:
            hold()
        except migration.OutdatedError:
            with running(backend, verb, patience):
                pass
            hold()
        yield


def recover(backend: Backend, *, is_new_run: bool = False) -> None:
    """Finish or clear what a dead process had begun to publish. The caller holds the lock on files.

    `is_new_run` clears also what runs have staged: no other run is alive.
    """
    transaction.recover(backend, is_new_run=is_new_run)
    Inventory(backend).recover()


def _begin(backend: Backend) -> None:
    recover(backend, is_new_run=True)
    backend.clear_left_over()
    for done in migration.migrate(backend):
        _log.info("%s: brought up to version %s: %s", backend.address, migration.VERSION, done)


def _end(backend: Backend) -> None:
    Inventory(backend).close(is_ours=not lock.is_lost(backend, lock.WRITE))

"""The two locks on a lake: one for runs, one for the moment in which files are replaced.

RUN is held by a run from its first look at the lake to its last publication. WRITE is held while files are replaced,
and while what is read decides what is written. Who takes both takes RUN first. A process that is killed keeps none.

A folder is locked by flock on a file, which the kernel releases when a process ends. An object store is locked by an
object that is only put on the condition that it is unchanged since it was read. Its holder puts it again every RENEWAL
seconds. A holder that could not do so for LOST seconds treats the lock as lost and stops writing. A lock whose object
is older than EXPIRED seconds, by the store's clock, is expired for all others. The store must support conditional puts
(`If-None-Match` and `If-Match`). Clocks of different machines are never compared.
"""

import fcntl
import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from flows.errors import LockedError, RunError
from flows.lake.backends import Backend, LocalBackend, S3Backend

RUN, WRITE = "_run", "_lock"
PATIENCE = 3600.0
RENEWAL, LOST, EXPIRED = 15.0, 60.0, 90.0
_PAUSE, _PAUSE_FOR_FILES = 0.5, 0.05
_UNTOLD = {RUN: 0.0, WRITE: 1.0}  # seconds that are waited without a word: files are usually replaced in less

_logger = logging.getLogger("genchi")


@dataclass(frozen=True)
class Holder:
    """The holder of a lock: a command, as written into the lock. `id` is unique for each acquisition."""

    verb: str = "another run"
    pid: int = 0
    host: str = "?"
    since: str = "?"
    id: str = ""

    @property
    def text(self) -> str:
        """The holder in words."""
        return f"`genchi {self.verb}`, process {self.pid} on host {self.host} since {self.since}"


class _FileLock:
    """The lock of a folder."""

    def __init__(self, backend: LocalBackend, name: str) -> None:
        self._place = backend.place(name)
        self._descriptor = -1

    def acquire(self, me: Holder) -> Holder | None:
        """Take it without waiting and return None, or return its holder."""
        try:
            self._place.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise self._refused(error, "while taking the lake's lock; check the permissions of its folder") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return _decoded(self._place.read_bytes()) or Holder()
        except OSError as error:
            os.close(descriptor)
            raise self._refused(error, "while locking a file; put the lake on a disk that can") from None
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, _encoded(me))
        except OSError as error:
            os.close(descriptor)
            raise self._refused(error, "while taking the lake's lock; free space on its disk") from None
        self._descriptor = descriptor
        return None

    def _refused(self, error: OSError, what: str) -> RunError:
        return RunError(f"{self._place}: {error.strerror} {what}")

    def release(self) -> None:
        """Release it. The file stays, because a lock on a deleted file does not lock others out."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)

    @property
    def is_lost(self) -> bool:
        """Always false: the kernel does not revoke a lock."""
        return False


class _ObjectLock:
    """The lock of an object store. A thread renews it while it is held."""

    def __init__(self, backend: S3Backend, name: str) -> None:
        self._backend, self._name = backend, name
        self._me = Holder()
        self._tag: str | None = None
        self._renewals = 0
        self._renewed = 0.0
        self._is_taken_over = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew_until_stopped, name="genchi-lock", daemon=True)

    def acquire(self, me: Holder) -> Holder | None:
        """Take it without waiting and return None, or return its holder."""
        self._me = me
        found = self._backend.tagged(self._name)
        holder = _decoded(found.content) if found else None
        if found and holder and found.age < EXPIRED:
            return holder
        self._tag = found.tag if found else None
        if not self._put():
            found = self._backend.tagged(self._name)
            return (_decoded(found.content) if found else None) or Holder()
        self._thread.start()
        return None

    def release(self) -> None:
        """Stop renewing it and mark it as free, unless another run holds it by now."""
        self._stop.set()
        self._thread.join()
        try:
            self._backend.put_if(self._name, b"{}", self._tag)
        except RunError as error:
            _logger.warning("the lock could not be released and expires in %.0f s: %s", EXPIRED, error)

    @property
    def is_lost(self) -> bool:
        """Whether another run may hold it: it was taken over, or could not be renewed in time."""
        return self._is_taken_over or time.monotonic() - self._renewed > LOST

    def _renew_until_stopped(self) -> None:
        while not self._stop.wait(RENEWAL):
            try:
                if not self._put():
                    self._is_taken_over = True
                    return
            except RunError as error:
                _logger.debug("the lock could not be renewed: %s", error)

    def _put(self) -> bool:
        """Put it if it is unchanged since it was read; the count of renewals makes every put a different object."""
        started = time.monotonic()
        self._renewals += 1
        tag = self._backend.put_if(self._name, _encoded(self._me, self._renewals), self._tag)
        if tag is None:  # or it is our own put: its response was lost and the request was sent again
            found = self._backend.tagged(self._name)
            ours = found is not None and (_decoded(found.content) or Holder()).id == self._me.id
            tag = found.tag if found and ours else None
        if tag is not None:
            self._tag, self._renewed = tag, started
        return tag is not None


Lock = _FileLock | _ObjectLock


@dataclass
class _Held:
    lock: Lock
    verb: str
    count: int = 1


# The locks that this process holds, by the lake's address and the lock's name.
_held: dict[tuple[str, str], _Held] = {}
_guard = threading.RLock()


@contextmanager
def holding(
    backend: Backend,
    name: str,
    verb: str,
    patience: float,
    *,
    on_acquired: Callable[[], None],
    on_release: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """Hold a lock of a lake, RUN or WRITE. Reentrant within this process; the last holder of it releases it.

    Waits at most `patience` seconds for another process, and reports once which one; then raises LockedError.
    `on_acquired` is called when the lock was newly taken, `on_release` before it is released, both before any other
    thread of this process continues. Raises RuntimeError where RUN is asked for by a process that has WRITE alone: two
    that take both in different orders would wait for each other.
    """
    if name == RUN and is_held(backend, WRITE) and not is_held(backend, RUN):
        raise RuntimeError(f"{backend.address}: a run begins before the lock on files is taken, not while it is held")
    _acquire(backend, name, verb, patience, on_acquired)
    try:
        yield
    except BaseException:
        with suppress(RunError, OSError):  # what failed first is told
            _give_back(backend, name, on_release)
        raise
    _give_back(backend, name, on_release)


def check(backend: Backend) -> None:
    """Raise RunError if this process held a lock of a lake and lost it."""
    if is_lost(backend, RUN) or is_lost(backend, WRITE):
        raise RunError(
            f"{backend.address}: the lock was lost: it could not be renewed for {LOST:.0f} s, and another run may"
            " have taken it; nothing more was written, run the same command again"
        )


def is_held(backend: Backend, name: str) -> bool:
    """Whether this process holds a lock of a lake, or held it and lost it."""
    return (backend.address, name) in _held


def is_lost(backend: Backend, name: str) -> bool:
    """Whether this process held a lock of a lake, and lost it, so that another process may have it."""
    held = _held.get((backend.address, name))
    return held is not None and held.lock.is_lost


def verb_of_run(backend: Backend) -> str | None:
    """The command of the run that this process is; None where it is none."""
    held = _held.get((backend.address, RUN))
    return held.verb if held else None


def _give_back(backend: Backend, name: str, on_release: Callable[[], None]) -> None:
    with _guard:
        held = _held[backend.address, name]
        if held.count > 1:
            held.count -= 1
            return
        try:
            on_release()
        finally:
            del _held[backend.address, name]
            held.lock.release()


def _acquire(backend: Backend, name: str, verb: str, patience: float, on_acquired: Callable[[], None]) -> None:
    me = Holder(verb, os.getpid(), socket.gethostname(), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", uuid.uuid4().hex)
    started, reported = time.monotonic(), ""
    pause = _PAUSE_FOR_FILES if name == WRITE and isinstance(backend, LocalBackend) else _PAUSE
    while True:
        with _guard:
            holder = _try_once(backend, name, me, on_acquired)
        if holder is None:
            return
        waited = time.monotonic() - started
        if waited >= patience:
            raise LockedError(
                f"{backend.address}: the lake is locked by {holder.text}; waited {patience:.0f} s;"
                " run the command again when that run has ended",
                holder.verb,
            )
        if holder.id != reported and waited >= _UNTOLD[name]:
            _logger.info("waiting for the lake, locked by %s", holder.text)
            reported = holder.id
        time.sleep(pause)


def _try_once(backend: Backend, name: str, me: Holder, on_acquired: Callable[[], None]) -> Holder | None:
    key = backend.address, name
    if key in _held:
        _held[key].count += 1
        return None
    lock = _FileLock(backend, name) if isinstance(backend, LocalBackend) else _ObjectLock(backend, name)
    holder = lock.acquire(me)
    if holder is not None:
        return holder
    _held[key] = _Held(lock, me.verb)
    try:
        on_acquired()
    except BaseException:
        del _held[key]
        lock.release()
        raise
    return None


def _encoded(holder: Holder, renewals: int = 0) -> bytes:
    return json.dumps({**asdict(holder), "renewals": renewals}).encode()


def _decoded(content: bytes) -> Holder | None:
    """The holder that a lock names; None if it is free."""
    try:
        named = json.loads(content)
        return Holder(**{key: named[key] for key in asdict(Holder())}) if named else None
    except (ValueError, KeyError, TypeError):
        return None

"""The lock on a lake: two runs never write it at the same time, and a killed run does not keep it locked.

A folder is locked by flock on `_lock`, which the kernel releases when a process ends. An object store is locked by an
object `_lock` that is only put on the condition that it is unchanged since it was read. Its holder puts it again every
RENEWAL seconds. A holder that could not do so for LOST seconds treats the lock as lost and stops writing. A lock whose
object is older than EXPIRED seconds, by the store's clock, is expired for all others. The store must support
conditional puts (`If-None-Match` and `If-Match`). Clocks of different machines are never compared.
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
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from flows.errors import LockedError, RunError
from flows.lake.backends import Backend, LocalBackend, S3Backend

PATIENCE = 3600.0
RENEWAL, LOST, EXPIRED = 15.0, 60.0, 90.0
_PAUSE = 0.5
_NAME = "_lock"

_logger = logging.getLogger("genchi")


@dataclass(frozen=True)
class Holder:
    """The holder of a lock: the run of a command, as written in `_lock`. `id` is unique for each acquisition."""

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

    def __init__(self, backend: LocalBackend) -> None:
        self._place = backend.place(_NAME)
        self._descriptor = -1

    def acquire(self, me: Holder) -> Holder | None:
        """Take it without waiting and return None, or return its holder."""
        try:
            self._place.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise RunError(
                f"{self._place}: {error.strerror} while taking the lake's lock; check the permissions of its folder"
            ) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return _decoded(self._place.read_bytes()) or Holder()
        except OSError as error:
            os.close(descriptor)
            raise RunError(
                f"{self._place}: the file system cannot lock files: {error.strerror}; put the lake on another disk"
            ) from None
        try:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, _encoded(me))
        except OSError as error:
            os.close(descriptor)
            raise RunError(
                f"{self._place}: {error.strerror} while taking the lake's lock; free space on its disk"
            ) from None
        self._descriptor = descriptor
        return None

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

    def __init__(self, backend: S3Backend) -> None:
        self._backend = backend
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
        found = self._backend.tagged(_NAME)
        holder = _decoded(found.content) if found else None
        if found and holder and found.age < EXPIRED:
            return holder
        self._tag = found.tag if found else None
        if not self._put():
            return self._current_holder()
        self._thread.start()
        return None

    def release(self) -> None:
        """Stop renewing it and mark it as free, unless another run holds it by now."""
        self._stop.set()
        self._thread.join()
        try:
            self._backend.put_if(_NAME, b"{}", self._tag)
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
        tag = self._backend.put_if(_NAME, _encoded(self._me, self._renewals), self._tag)
        if tag is None:  # or it is our own put: its response was lost and the request was sent again
            found = self._backend.tagged(_NAME)
            ours = found is not None and (_decoded(found.content) or Holder()).id == self._me.id
            tag = found.tag if found and ours else None
        if tag is not None:
            self._tag, self._renewed = tag, started
        return tag is not None

    def _current_holder(self) -> Holder:
        found = self._backend.tagged(_NAME)
        return (_decoded(found.content) if found else None) or Holder()


Lock = _FileLock | _ObjectLock


@dataclass
class _Held:
    lock: Lock
    count: int = 1


@dataclass
class _Process:
    """The locks that this process holds, by the lake's address."""

    held: dict[str, _Held] = field(default_factory=dict)
    guard: threading.RLock = field(default_factory=threading.RLock)


_process = _Process()


@contextmanager
def holding(backend: Backend, verb: str, patience: float, on_acquired: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a lake. Reentrant within this process; the first holder releases it.

    Waits at most `patience` seconds for another run, and reports once which one; then raises LockedError. `on_acquired`
    is called when the lock was newly taken, before any other thread of this process continues.
    """
    _acquire(backend, verb, patience, on_acquired)
    try:
        yield
    finally:
        with _process.guard:
            held = _process.held[backend.address]
            held.count -= 1
            if not held.count:
                del _process.held[backend.address]
                held.lock.release()


def is_held(backend: Backend) -> bool:
    """Whether this process holds the lock of a lake. Raises RunError if it held it and lost it."""
    if is_lost(backend):
        raise RunError(
            f"{backend.address}: the lock was lost: it could not be renewed for {LOST:.0f} s, and another run may"
            " have taken it; nothing more was written, run the same command again"
        )
    return backend.address in _process.held


def is_lost(backend: Backend) -> bool:
    """Whether this process held the lock of a lake, and lost it, so that another run may have it."""
    held = _process.held.get(backend.address)
    return held is not None and held.lock.is_lost


def _acquire(backend: Backend, verb: str, patience: float, on_acquired: Callable[[], None]) -> None:
    me = Holder(verb, os.getpid(), socket.gethostname(), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", uuid.uuid4().hex)
    deadline, reported = time.monotonic() + patience, ""
    while True:
        with _process.guard:
            holder = _try_once(backend, me, on_acquired)
        if holder is None:
            return
        if time.monotonic() >= deadline:
            raise LockedError(
                f"{backend.address}: the lake is locked by {holder.text}; waited {patience:.0f} s;"
                " run the command again when that run has ended",
                holder.verb,
            )
        if holder.id != reported:
            _logger.info("waiting for the lake, locked by %s", holder.text)
            reported = holder.id
        time.sleep(_PAUSE)


def _try_once(backend: Backend, me: Holder, on_acquired: Callable[[], None]) -> Holder | None:
    if backend.address in _process.held:
        _process.held[backend.address].count += 1
        return None
    lock = _FileLock(backend) if isinstance(backend, LocalBackend) else _ObjectLock(backend)
    holder = lock.acquire(me)
    if holder is not None:
        return holder
    _process.held[backend.address] = _Held(lock)
    try:
        on_acquired()
    except BaseException:
        del _process.held[backend.address]
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

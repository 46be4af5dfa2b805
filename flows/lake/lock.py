"""The lock on a lake: two runs never write it at the same time, and a killed run does not keep it locked.

A folder is locked by flock on `_lock`, which the kernel gives back when a process ends. An object store is locked by
an object `_lock` that is only ever put under the condition that it is still what was seen: its holder puts it anew
every RENEWAL seconds; one that has not managed to for LOST seconds counts itself out and writes no more, and one whose
object is older than EXPIRED seconds, by the store's own clock, is out for all others. It takes a store that knows
conditional puts (`If-None-Match` and `If-Match`); no clock but the store's is compared with another.
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

from flows.errors import RunError
from flows.lake.backends import Backend, LocalBackend, S3Backend

PATIENCE = 3600.0
RENEWAL, LOST, EXPIRED = 15.0, 60.0, 90.0
_PAUSE = 0.5
_NAME = "_lock"

_logger = logging.getLogger("genchi")


@dataclass(frozen=True)
class Holder:
    """Who holds a lock: a verb's run, as `_lock` names it. `id` is of this very taking of it."""

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
        """Take it at once and give None, or give the one who holds it."""
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
        os.ftruncate(descriptor, 0)
        os.write(descriptor, _encoded(me))
        self._descriptor = descriptor
        return None

    def release(self) -> None:
        """Give it back. The file stays, for a lock on a file that was taken away locks nobody out."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)

    @property
    def is_lost(self) -> bool:
        """The kernel takes no lock away."""
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
        """Take it at once and give None, or give the one who holds it."""
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
        """Stop renewing it and mark it as free, unless another has it by now."""
        self._stop.set()
        self._thread.join()
        try:
            self._backend.put_if(_NAME, b"{}", self._tag)
        except RunError as error:
            _logger.warning("the lock could not be released and expires in %.0f s: %s", EXPIRED, error)

    @property
    def is_lost(self) -> bool:
        """Whether another may hold it: it was taken over, or could not be renewed in time."""
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
        """Put it where it is still as it was seen; the count of renewals makes every put another object."""
        started = time.monotonic()
        self._renewals += 1
        tag = self._backend.put_if(_NAME, _encoded(self._me, self._renewals), self._tag)
        if tag is None:  # or it is our own put, whose answer got lost before it was sent again
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
    """What this process holds, by the lake's address."""

    held: dict[str, _Held] = field(default_factory=dict)
    guard: threading.RLock = field(default_factory=threading.RLock)


_process = _Process()


@contextmanager
def holding(backend: Backend, verb: str, patience: float, on_acquired: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a lake. Who holds it already in this process goes on at once; it is given back by the first.

    Waits for another run, saying once who it is, at most `patience` seconds; then raises RunError. `on_acquired` is
    called when the lock was truly taken, before anybody else in this process goes on.
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
    """Whether this process holds the lock of a lake. Raises RunError where it did, and lost it."""
    held = _process.held.get(backend.address)
    if held and held.lock.is_lost:
        raise RunError(
            f"{backend.address}: the lock was lost: it could not be renewed for {LOST:.0f} s, and another run may"
            " have taken it; nothing more was written, run the same command again"
        )
    return held is not None


def _acquire(backend: Backend, verb: str, patience: float, on_acquired: Callable[[], None]) -> None:
    me = Holder(verb, os.getpid(), socket.gethostname(), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC", uuid.uuid4().hex)
    deadline, reported = time.monotonic() + patience, ""
    while True:
        with _process.guard:
            holder = _try_once(backend, me, on_acquired)
        if holder is None:
            return
        if time.monotonic() >= deadline:
            raise RunError(
                f"{backend.address}: the lake is locked by {holder.text}; waited {patience:.0f} s;"
                " run the command again when that run has ended"
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
    """Who a lock names; None where nobody holds it."""
    try:
        named = json.loads(content)
        return Holder(**{key: named[key] for key in asdict(Holder())}) if named else None
    except (ValueError, KeyError, TypeError):
        return None

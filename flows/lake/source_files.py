"""What a path or pattern matches, on this machine or in a store, and what of it could not be looked at.

Each file is found once, however many links lead to it. Only regular files are found: a pipe, a socket or a device
would wait for a writer.
"""

import errno
import fnmatch
import os
import stat
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from flows.errors import UnreadableError
from flows.lake.object_store import find_objects, open_object
from flows.lake.store_addresses import Found, Storage, is_remote

_MAGIC = frozenset("*?[")
# Nothing is lost where a name leads nowhere: it is not there, or no folder.
_ABSENT = (errno.ENOENT, errno.ENOTDIR)
_REASONS = {
    errno.EACCES: "permission denied; give the user that runs genchi the right to read it",
    errno.EPERM: "permission denied; give the user that runs genchi the right to read it",
    errno.ENOENT: "it vanished before it was read",
    errno.ELOOP: "a loop of symbolic links; remove the link",
}


@dataclass(frozen=True)
class Unread:
    """A file or folder that cannot be read, and why, in words."""

    name: str
    why: str


@dataclass
class Listing:
    """The result of a search: files in the order of their names, and what could not be looked at."""

    files: list[Found] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


def search(pattern: str, storage: Storage) -> Listing:
    """The files or objects that a glob matches. `**` is any folders; hidden names take a pattern with a dot.

    What cannot be listed does not hide the rest. Raises RunError if a store cannot be reached.
    """
    if not is_remote(pattern):
        return _Search().run(pattern)
    try:
        return Listing(find_objects(pattern, storage))
    except UnreadableError as error:
        return Listing(unread=[Unread(pattern, error.why)])


def find_files(pattern: str, storage: Storage) -> list[Found]:
    """The files or objects that a glob matches, without what of this machine cannot be listed; see `search`.

    Raises UnreadableError for objects that may not be listed.
    """
    return find_objects(pattern, storage) if is_remote(pattern) else search(pattern, storage).files


def open_binary(name: str, storage: Storage) -> IO[bytes]:
    """A file or object to read from its start, block by block.

    Raises UnreadableError for a file that vanished, may not be read or is no regular file; RunError if the store
    cannot be reached.
    """
    if is_remote(name):
        return open_object(name, storage)
    try:
        # Without O_NONBLOCK, opening a pipe that took the file's place would wait for its writer.
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise UnreadableError(name, reason_of(error)) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableError(name, "no regular file any more")
    return os.fdopen(descriptor, "rb")


def reason_of(error: OSError) -> str:
    """Why a file or folder of this machine cannot be read, and how to mend it."""
    known = _REASONS.get(error.errno or 0)
    return known or (error.strerror or type(error).__name__).lower()


class _Search:
    """One search on this machine, by the rules of glob.glob, which itself is silent about what it cannot list."""

    def __init__(self) -> None:
        self._files: dict[tuple[int, int], Found] = {}
        self._unread: dict[str, str] = {}
        # For `**`: the folders that were entered, by what was looked for in them; those still to enter, links last.
        self._entered: set[tuple[int, int, int]] = set()
        self._folders: deque[tuple[str, list[str], list[tuple[int, int]]]] = deque()
        self._links: deque[tuple[str, list[str], list[tuple[int, int]]]] = deque()

    def run(self, pattern: str) -> Listing:
        base = "/" if pattern.startswith("/") else ""
        self._walk(base, [part for part in pattern.split("/") if part], [])
        while self._folders or self._links:
            self._descend(*(self._folders or self._links).popleft())
        files = sorted(self._files.values(), key=lambda one: one.name.split("/"))
        return Listing(files, [Unread(*one) for one in sorted(self._unread.items())])

    def _walk(self, folder: str, parts: list[str], above: list[tuple[int, int]]) -> None:
        """Look for `parts` below a folder. `above` are the folders that `**` has gone through to reach it."""
        part, rest = parts[0], parts[1:]
        if part == "**":
            self._folders.append((folder, rest, above))
        elif not _MAGIC & set(part):
            place = f"{folder}/{part}" if folder.rstrip("/") else folder + part
            if rest:
                self._walk(place, rest, above)
            else:
                self._take(place)
        else:
            for entry in self._entries(folder):
                if _is_match(entry.name, part):
                    if not rest:
                        self._take(entry.path)
                    elif self._is_folder(entry):
                        self._walk(entry.path, rest, above)

    def _descend(self, folder: str, rest: list[str], above: list[tuple[int, int]]) -> None:
        """`**`: look for the rest in the folder and in all folders below it, in each once."""
        try:
            status = Path(folder or ".").stat()
        except OSError as error:
            self._failed(folder, error)
            return
        here = (status.st_dev, status.st_ino)
        if here in above:
            self._unread[folder] = _REASONS[errno.ELOOP]
        if (*here, len(rest)) in self._entered:
            return
        self._entered.add((*here, len(rest)))
        if rest:
            self._walk(folder, rest, above)
        for entry in self._entries(folder):
            if entry.name.startswith("."):
                continue
            if self._is_folder(entry):
                below = (entry.path, rest, [*above, here])
                (self._links if entry.is_symlink() else self._folders).append(below)
            elif not rest:
                self._take(entry.path)

    def _entries(self, folder: str) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(folder or ".") as entries:
                yield from sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self._failed(folder, error)

    def _is_folder(self, entry: os.DirEntry[str]) -> bool:
        try:
            return entry.is_dir()
        except OSError as error:
            self._failed(entry.path, error)
            return False

    def _take(self, name: str) -> None:
        try:
            status = Path(name).stat()
        except OSError as error:
            if error.errno not in _ABSENT:
                self._failed(name, error)
            elif Path(name).is_symlink():
                self._unread[name] = "a symbolic link to nothing; remove it"
            return
        if not stat.S_ISREG(status.st_mode):
            return
        # A file that was moved here keeps its modification time; only the change time shows that it is new.
        modified = datetime.fromtimestamp(max(status.st_mtime, status.st_ctime), UTC)
        identity = (status.st_dev, status.st_ino)
        known = self._files.get(identity)
        if known is None or _rank(name) < _rank(known.name):
            self._files[identity] = Found(name, status.st_size, modified)

    def _failed(self, name: str, error: OSError) -> None:
        if error.errno not in _ABSENT:
            self._unread[name or "."] = reason_of(error)


def _is_match(name: str, part: str) -> bool:
    return (part.startswith(".") or not name.startswith(".")) and fnmatch.fnmatchcase(name, part)


def _rank(name: str) -> tuple[bool, str]:
    """Of several names of one file the one without links comes first."""
    return Path(name).resolve() != Path(name).absolute(), name

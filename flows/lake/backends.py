"""Where a lake is stored: a folder of this machine or a prefix of a bucket, with the same methods for both.

Names are relative and have slashes. Belongs here: writing, moving and removing. Does not belong here: what the
names mean (`lake.py` knows), and how a store is reached (`object_store.py` does).
"""

import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import IO, Any

from flows.errors import RunError
from flows.lake.atomic import (
    PRIVATE,
    SHARED,
    clear_left_over,
    naming_write,
    replace_text,
    replacing,
    scratch_prefix,
)
from flows.lake.object_store import (
    code_of,
    content_of_object,
    describe_error,
    filesystem,
    find_objects,
    get,
    listed,
    readable_errors,
)
from flows.lake.store_addresses import Storage, scheme_of, split

_CONDITION_FAILED = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409", "404")


@dataclass(frozen=True)
class Tagged:
    """A small object as it was read: its tag, and its age in seconds by the store's clock."""

    content: bytes
    tag: str
    age: float


class LocalBackend:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.address = str(root.resolve())

    def place(self, name: str) -> Path:
        """The file's whole path."""
        return self.root / name

    def names(self, pattern: str) -> list[str]:
        """The names that match."""
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.glob(pattern))

    def sizes(self, pattern: str) -> dict[str, int]:
        """The bytes of the files that match, by name."""
        return {name: self.place(name).stat().st_size for name in self.names(pattern)}

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return self.place(name).exists()

    def source(self, name: str) -> Path | None:
        """The file to read, or None if it does not exist."""
        place = self.place(name)
        return place if place.exists() else None

    def open_to(self, connection: Any) -> None:
        """Does nothing: a DuckDB connection can read files."""

    def read_text(self, name: str) -> str | None:
        """The file as text, or None if it does not exist."""
        try:
            return self.place(name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    @contextmanager
    def replacing(self, name: str, before: Callable[[], object] = lambda: None) -> Iterator[IO[bytes]]:
        """A file to write to, renamed to its final name if the block succeeds; `before` is called just before."""
        with replacing(self.place(name), before=before) as file:
            yield file

    def write_text(self, name: str, text: str, *, is_private: bool = False) -> None:
        """Write a text to the file, atomically and flushed to disk; if private, nobody else can read it."""
        replace_text(self.place(name), text, PRIVATE if is_private else SHARED)
        _sync(self.place(name).parent)

    def keep(self, file: Path, name: str) -> None:
        """Flush a file that already has its final name to disk."""
        _sync(file)
        assert file == self.place(name)

    def move(self, source: str, target: str) -> None:
        """Rename a file to its final name. Does nothing if the source is missing, so that this can be repeated."""
        place = self.place(target)
        with naming_write(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            if self.exists(source):
                self.place(source).replace(place)
        _sync(place.parent)

    def is_whole(self, folder: str, files: Iterable[str]) -> bool:
        """Whether these files can be moved out of a folder: always, because missing ones were moved before."""
        return True

    def remove(self, name: str) -> None:
        """Delete a file; does nothing if it does not exist."""
        self.place(name).unlink(missing_ok=True)

    def clear(self, folder: str) -> None:
        """Delete a folder and its contents, flushed to disk."""
        shutil.rmtree(self.place(folder), ignore_errors=True)
        _sync(self.place(folder).parent)

    def keep_private(self, name: str) -> None:
        """Let nobody else read a file that an earlier version wrote."""
        if self.exists(name) and self.place(name).stat().st_mode & 0o077:
            self.place(name).chmod(PRIVATE)

    def clear_left_over(self) -> None:
        """Delete the temporary files of runs that were killed. The caller is the only run."""
        for folder in {self.root, *self.root.glob("*/"), *self.root.glob("*/day=*/")}:
            clear_left_over(folder)

    def children(self, folder: str) -> list[str]:
        """The names of the direct entries of a folder."""
        return sorted(path.name for path in self.place(folder).iterdir()) if self.exists(folder) else []

    @contextmanager
    def scratch(self, folder: str) -> Iterator[Path]:
        """The folder itself, for files that are renamed from there. It stays."""
        self.place(folder).mkdir(parents=True)
        yield self.place(folder)


class S3Backend:
    """The objects under one `s3://bucket/prefix`, by names relative to it. Every method may raise RunError."""

    def __init__(self, url: str, storage: Storage) -> None:
        self.address = url.rstrip("/")
        self._storage = storage
        self._bucket, prefix = split(self.address)
        self._prefix = f"{prefix}/" if prefix else ""

    def place(self, name: str) -> str:
        """The object's whole address."""
        return f"{self.address}/{name}"

    def names(self, pattern: str) -> list[str]:
        """The names that match."""
        return [one.name.removeprefix(f"{self.address}/") for one in find_objects(self.place(pattern), self._storage)]

    def sizes(self, pattern: str) -> dict[str, int]:
        """The bytes of the objects that match, by name."""
        found = find_objects(self.place(pattern), self._storage)
        return {one.name.removeprefix(f"{self.address}/"): one.size for one in found}

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""
        found = listed(self.place(name), self._storage)
        return any(one.name == self.place(name) for one in found)

    def source(self, name: str) -> IO[bytes] | None:
        """The object's content in memory, or None if it does not exist."""
        content = self._read(name)
        return None if content is None else io.BytesIO(content)

    def open_to(self, connection: Any) -> None:
        """Register the store with a DuckDB connection, which then reads objects by their addresses."""
        from flows.lake.duckdb_filesystem import ObjectFileSystem  # noqa: PLC0415 - imported late: fsspec is not needed for a folder

        connection.register_filesystem(ObjectFileSystem(self._storage, scheme_of(self.address)))

    def read_text(self, name: str) -> str | None:
        """The object as text, or None if it does not exist."""
        content = self._read(name)
        return None if content is None else content.decode()

    def _read(self, name: str) -> bytes | None:
        with readable_errors(self.place(name), self._storage, absent_is_fine=True):
            return content_of_object(self.place(name), self._storage)
        return None

    @contextmanager
    def replacing(self, name: str, before: Callable[[], object] = lambda: None) -> Iterator[IO[bytes]]:
        """A local file to write to, uploaded as the object if the block succeeds; `before` is called just before."""
        with tempfile.NamedTemporaryFile(prefix=scratch_prefix()) as file:
            yield file
            file.flush()
            before()
            self.keep(Path(file.name), name)

    def keep(self, file: Path, name: str) -> None:
        """Upload a file as the object; a reader sees the old object or the new one."""
        with readable_errors(self.place(name), self._storage):
            filesystem(self._storage).put_file(str(file), self.place(name))

    def write_text(self, name: str, text: str, *, is_private: bool = False) -> None:
        """Write a small text to the object. Who may read it, the bucket decides."""
        self._call("put_object", name, Body=text.encode())

    def move(self, source: str, target: str) -> None:
        """Copy an object within the store. The source stays until `clear` deletes it, so that this can be repeated."""
        with readable_errors(self.place(target), self._storage):
            filesystem(self._storage).cp_file(self.place(source), self.place(target))

    def is_whole(self, folder: str, files: Iterable[str]) -> bool:
        """Whether these objects can be moved out of a folder: all must still exist, because `move` keeps them."""
        return set(files) <= set(self.children(folder))

    def remove(self, name: str) -> None:
        """Delete an object; does nothing if it does not exist."""
        self._call("delete_object", name)

    def clear(self, folder: str) -> None:
        """Delete all objects under a folder."""
        for name in self._below(folder):
            self.remove(name)

    def keep_private(self, name: str) -> None:
        """Does nothing: who may read an object, the bucket decides."""

    def clear_left_over(self) -> None:
        """Delete the temporary files of runs that were killed, on this machine."""
        clear_left_over(Path(tempfile.gettempdir()))

    def children(self, folder: str) -> list[str]:
        """The names of the direct entries of a folder."""
        return sorted({name.removeprefix(f"{folder}/").split("/")[0] for name in self._below(folder)})

    def _below(self, folder: str) -> list[str]:
        found = listed(self.place(f"{folder}/"), self._storage)
        return [one.name.removeprefix(f"{self.address}/") for one in found]

    @contextmanager
    def scratch(self, folder: str) -> Iterator[Path]:
        """A local folder for files that will be uploaded to `folder`."""
        with tempfile.TemporaryDirectory(prefix=scratch_prefix()) as place:
            yield Path(place)

    def tagged(self, name: str) -> Tagged | None:
        """A small object with its tag and age, or None if it does not exist."""
        with readable_errors(self.place(name), self._storage, absent_is_fine=True):
            content, answer = get(self.place(name), self._storage)
            now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
            return Tagged(content, answer["ETag"], (now - answer["LastModified"]).total_seconds())
        return None

    def put_if(self, name: str, content: bytes, tag: str | None) -> str | None:
        """Put an object only if its tag is still `tag` (None: if it does not exist). Returns its new tag, or None."""
        condition = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        try:
            answer = filesystem(self._storage).call_s3(
                "put_object", Bucket=self._bucket, Key=self._prefix + name, Body=content, **condition
            )
        except Exception as error:
            if code_of(error) in _CONDITION_FAILED:
                return None
            raise RunError(describe_error(error, self.place(name), self._storage)) from None
        new: str = answer["ETag"]
        return new

    def _call(self, method: str, name: str, **arguments: object) -> None:
        with readable_errors(self.place(name), self._storage):
            filesystem(self._storage).call_s3(method, Bucket=self._bucket, Key=self._prefix + name, **arguments)


def _sync(place: Path) -> None:
    """Flush a file, or the entries of a folder, to disk."""
    with naming_write(place):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


Backend = LocalBackend | S3Backend

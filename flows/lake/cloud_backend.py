"""A lake in Google Cloud Storage or Azure Blob Storage, and which backend an address has."""

from pathlib import Path

from flows.errors import RunError
from flows.lake import cloud_objects
from flows.lake.backends import Backend, LocalBackend, S3Backend, Tagged
from flows.lake.object_store import describe_error, readable_errors
from flows.lake.store_addresses import Storage, scheme_of

_CLOCK = "_clock"
_FREE = b"{}"


class CloudBackend(S3Backend):
    """The objects under one `gs://bucket/prefix` or `az://container/prefix`; see S3Backend."""

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""
        with readable_errors(self.place(name), self._storage):
            return cloud_objects.exists(self.place(name), self._storage)

    def keep(self, file: Path, name: str) -> None:
        """Upload a file as the object; a reader sees the old object or the new one."""
        with readable_errors(self.place(name), self._storage):
            cloud_objects.put(self.place(name), file, self._storage)

    def write_text(self, name: str, text: str, *, is_private: bool = False) -> None:
        """Write a small text to the object. Who may read it, the bucket decides."""
        with readable_errors(self.place(name), self._storage):
            cloud_objects.put(self.place(name), text.encode(), self._storage)

    def move(self, source: str, target: str) -> None:
        """Copy an object within the store. The source stays until `clear` deletes it, so that this can be repeated."""
        with readable_errors(self.place(target), self._storage):
            cloud_objects.copy(self.place(source), self.place(target), self._storage)

    def remove(self, name: str) -> None:
        """Delete an object; does nothing if it does not exist."""
        with readable_errors(self.place(name), self._storage):
            cloud_objects.delete(self.place(name), self._storage)

    def tagged(self, name: str) -> Tagged | None:
        """A small object with its tag and age, or None if it does not exist.

        The store's clock is read off an object that is put for it. That of a free lock is not needed, and not read.
        """
        with readable_errors(self.place(name), self._storage, absent_is_fine=True):
            content, found = cloud_objects.get(self.place(name), self._storage)
            if content == _FREE:
                return Tagged(content, found.tag, 0.0)
            cloud_objects.put(self.place(_CLOCK), b"", self._storage)
            _, clock = cloud_objects.get(self.place(_CLOCK), self._storage)
            return Tagged(content, found.tag, (clock.modified - found.modified).total_seconds())
        return None

    def put_if(self, name: str, content: bytes, tag: str | None) -> str | None:
        """Put an object only if its tag is still `tag` (None: if it does not exist). Returns its new tag, or None."""
        try:
            return cloud_objects.put_if(self.place(name), content, tag, self._storage)
        except Exception as error:
            raise RunError(describe_error(error, self.place(name), self._storage)) from None


def open_backend(root: Path | str, storage: Storage) -> Backend:
    """The backend for a path or an address."""
    if isinstance(root, Path):
        return LocalBackend(root)
    return S3Backend(root, storage) if scheme_of(root) == "s3" else CloudBackend(root, storage)

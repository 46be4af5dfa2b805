"""An object store for DuckDB: an fsspec file system that sends as few requests as possible.

DuckDB asks for names, sizes, times and the ends of many small files, again for each query. One listing answers the
first three; the ends of objects, where Parquet keeps its footer, are remembered by their tags.
"""

from collections import OrderedDict
from functools import partial
from typing import Any

from fsspec.spec import AbstractFileSystem

from flows.lake.object_store import Ranged, find_objects, listed, range_of
from flows.lake.store_addresses import Found, Storage

_END = 128 << 10  # bytes: most small objects whole, and the footer of a large one
_REMEMBERED = 1024  # number of cached ends


class ObjectFileSystem(AbstractFileSystem):  # type: ignore[misc]  # fsspec is not typed
    """The objects of a store, read-only. A new listing replaces what is known of its objects."""

    cachable = False

    def __init__(self, storage: Storage, scheme: str) -> None:
        super().__init__()
        self.protocol = scheme
        self._scheme = f"{scheme}://"
        self._storage = storage
        self._known: dict[str, Found] = {}
        self._ends: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def glob(self, path: str, **_: Any) -> list[str]:
        """The names that match, without the scheme."""
        found = find_objects(self._address(path), self._storage)
        self._known.update((one.name, one) for one in found)
        return [one.name.removeprefix(self._scheme) for one in found]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """The properties of an object by the last listing."""
        name = self._address(path)
        if name not in self._known:
            self._known.update((one.name, one) for one in listed(name, self._storage))
        if name not in self._known:
            raise FileNotFoundError(name)
        one = self._known[name]
        return {"name": path, "size": one.size, "type": "file", "mtime": one.modified}

    def modified(self, path: str) -> Any:
        """When the object was last put."""
        return self.info(path)["mtime"]

    def isdir(self, path: str) -> bool:
        """Always false: a store has no folders."""
        return False

    def open(self, path: str, mode: str = "rb", **_: Any) -> Ranged:
        """An object opened for random access. Not buffered: DuckDB requests the ranges that it needs."""
        if mode != "rb":
            raise PermissionError(f"{path}: objects can only be opened for reading")
        self.info(path)
        one = self._known[self._address(path)]
        return Ranged(one.size, partial(self.range_of, one))

    def range_of(self, one: Found, start: int, end: int) -> bytes:
        """The bytes from `start` up to `end` of an object, as it was when it was listed. Raises RunError."""
        last = max(0, one.size - _END)
        if start >= last:
            known = self._ends.get((one.name, one.tag))
            if known is None:
                known = self._ends[one.name, one.tag] = range_of(one, self._storage, last, one.size)
                if len(self._ends) > _REMEMBERED:
                    self._ends.popitem(last=False)
            return known[start - last : end - last]
        return range_of(one, self._storage, start, end)

    def _address(self, path: str) -> str:
        return path if path.startswith(self._scheme) else self._scheme + path

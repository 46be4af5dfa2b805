"""The files that the nights have read, by their names and by their content."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from flows.config import Source
from flows.ingest.pull import Clients
from flows.ingest.read import HEAD_BYTES, Content, LogFile, content_of, stored_hash
from flows.lake import Lake

_COLUMNS = ("file", "sha256", "bytes", "read_at", "content_sha256", "content_bytes", "head_sha256", "quarantined")
_PACKED = (".gz", ".zst")


@dataclass(frozen=True)
class Version:
    """A version of a file that a night has read.

    Of one that an older genchi has read only the file as it was stored is known: its head is None, and its content too
    if its name says that it was compressed.
    """

    night: date
    name: str
    sha256: str
    bytes: int
    read_at: datetime
    content_sha256: str | None
    content_bytes: int | None
    head: str | None
    quarantined: int

    def begins(self, content: Content) -> bool:
        """Whether a content, hashed with its beginning of this size, starts with this one or is the same."""
        if self.content_bytes == content.bytes:
            return self.content_sha256 == content.sha256
        return bool(self.content_bytes) and content.beginnings.get(self.content_bytes or 0) == self.content_sha256


class KnownFiles:
    """Versions of one source's files."""

    def __init__(self, versions: Iterable[Version]) -> None:
        self._by_name: dict[str, list[Version]] = defaultdict(list)
        self._by_head: dict[str, list[Version]] = defaultdict(list)
        self._by_size: dict[int, list[Version]] = defaultdict(list)
        for version in versions:
            self._by_name[version.name].append(version)
            if version.head is not None:
                self._by_head[version.head].append(version)
            elif version.content_bytes:
                self._by_size[version.content_bytes].append(version)

    @property
    def names(self) -> set[str]:
        """The names of all files."""
        return set(self._by_name)

    def named(self, *names: str) -> list[Version]:
        """The versions of the files with these names."""
        return [version for name in names for version in self._by_name.get(name, ())]

    def matching(
        self, file: LogFile, night: date, size: int, lost: list[Version]
    ) -> tuple[list[Version], list[Version]] | None:
        """The versions with the whole content of a file, and those with a beginning of it; None if it has no content.

        Those that `night` has read under the file's own name are left out. `size` is the file's size as it is stored;
        `lost` are versions of files that are not there any more. Reads the file to its end if its first part is that
        of a version. Raises as its opening does.
        """
        assert file.open is not None
        shorter = [*self.named(*twins(file.name)), *lost]
        sizes = {one.content_bytes for one in shorter if one.content_bytes}
        head = content_of(file.open, sizes, most=HEAD_BYTES)
        if not head.bytes:
            return None
        file.content = head
        candidates = [*self._by_head.get(head.head, ()), *(one for one in shorter if one.head and one.begins(head))]
        # Of a version whose head is not known, its name or its size must speak for it.
        candidates += [one for one in (*shorter, *self._by_size.get(size, ())) if one.head is None]
        found = [
            one for one in {id(one): one for one in candidates}.values() if (one.night, one.name) != (night, file.name)
        ]
        if not found:
            return [], []
        content = file.content = content_of(file.open, {one.content_bytes for one in found if one.content_bytes})
        whole = [one for one in found if one.begins(content) and one.content_bytes == content.bytes]
        unknown = [one for one in found if one.content_bytes is None and one.bytes == size]
        if unknown:
            stored = stored_hash(file.open)
            whole += [one for one in unknown if one.sha256 == stored]
        return whole, [one for one in found if one.begins(content) and one not in whole]


class Manifests:
    """The files that the nights have read. Each manifest is read once, so that all sources see the same state.

    `naming` gives a file the name that it has in the lake, `clients` ask the APIs of sources. `taken` are the files
    under new names that were found since then, by source and head of their content.
    """

    def __init__(self, store: Lake, naming: Callable[[str], str], clients: Clients) -> None:
        self._store, self.naming, self.clients = store, naming, clients
        self._rows: dict[date, list[dict[str, Any]]] = {}
        self.taken: dict[tuple[str, str], list[LogFile]] = defaultdict(list)

    @cached_property
    def nights(self) -> list[date]:
        """The nights that have a manifest, oldest first."""
        return self._store.days("manifest")

    def known(self, source: Source, nights: list[date]) -> KnownFiles:
        """The versions of a source's files that these nights have read to their end."""
        return KnownFiles(
            _version(night, row)
            for night in nights
            for row in self._of(night)
            if row["source"] == source.name and row["problem"] is None
        )

    def _of(self, night: date) -> list[dict[str, Any]]:
        if night not in self._rows:
            columns = ["source", "problem", *_COLUMNS]
            self._rows[night] = self._store.read("manifest", night, columns=columns).to_pylist()
        return self._rows[night]


def plain_name(name: str) -> str:
    """A file's name without the ending of its compression."""
    return next((name.removesuffix(end) for end in _PACKED if name.endswith(end)), name)


def twins(name: str) -> tuple[str, ...]:
    """The names that a file has, plain and compressed, its own first."""
    plain = plain_name(name)
    return tuple(dict.fromkeys((name, plain, *(plain + end for end in _PACKED))))


def _version(night: date, row: dict[str, Any]) -> Version:
    name, sha256, size, read_at, content_sha256, content_bytes, head, quarantined = (row[one] for one in _COLUMNS)
    if head is None and plain_name(name) == name:  # stored as it is
        content_sha256, content_bytes = sha256, size
    return Version(night, name, sha256, size, read_at, content_sha256, content_bytes, head, quarantined)

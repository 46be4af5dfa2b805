"""Which files a night reads: the files of its day, and files of earlier days that arrived late or have grown."""

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property, partial
from typing import Any
from zoneinfo import ZoneInfo

from flows.config import Config, Source
from flows.ingest.find import postgres
from flows.ingest.read import LogFile, identify
from flows.lake import Found, Lake, find_files, is_remote, open_binary

# A file's time is from another clock, possibly rounded to a second: files with a time this close are hashed.
_CLOSE = timedelta(seconds=5)


@dataclass(frozen=True)
class _Version:
    """A version of a file that a night has read."""

    night: date
    sha256: str
    bytes: int
    read_at: datetime


class Manifests:
    """The files that the nights have read. Each manifest is read once, so that all sources see the same state."""

    def __init__(self, store: Lake) -> None:
        self._store = store
        self._rows: dict[date, list[dict[str, Any]]] = {}

    @cached_property
    def nights(self) -> list[date]:
        """The nights that have a manifest, oldest first."""
        return self._store.days("manifest")

    def versions(self, source: Source, nights: list[date]) -> dict[str, list[_Version]]:
        """The versions of a source's files that these nights have read, by file name."""
        found: dict[str, list[_Version]] = defaultdict(list)
        for night in nights:
            if night not in self._rows:
                columns = ["source", "file", "sha256", "bytes", "read_at"]
                self._rows[night] = self._store.read("manifest", night, columns=columns).to_pylist()
            for row in self._rows[night]:
                if row["source"] == source.name:
                    found[row["file"]].append(_Version(night, row["sha256"], row["bytes"], row["read_at"]))
        return found


def arrived(
    config: Config, manifests: Manifests, source: Source, day: date, *, look_back: bool = True
) -> list[LogFile]:
    """The files of a source that the night of `day` must read, by name.

    A path with `{day}` is looked up for the day itself, whose files are always read. If the time zone is behind UTC,
    it is also looked up for the next day, because logs are mostly named by UTC days. With `look_back` it is looked up
    for earlier days, back to the first night or by `window_days`. Files of other days, and of a path without `{day}`,
    are read if no other night has read the same version. A database is queried for the day, and with `look_back` for
    the day before again.
    """
    if source.dsn:
        others = [day - timedelta(days=1)] * look_back + [day + timedelta(days=1)] * _is_behind_utc(config, day)
        return [_rows_of(source, source.dsn, asked) for asked in sorted([day, *others])]
    if "{day}" not in source.path:
        known = manifests.versions(source, manifests.nights)
        return list(_of_path(config, source, source.path, known, day))
    found = [opened(config, source, place) for place in find_files(_path_of(source, day), config.storage)]
    if others := _other_days(config, manifests, day, look_back=look_back):
        known = manifests.versions(source, [night for night in manifests.nights if abs(night - day) <= _reach(config)])
        for other in others:
            found += _of_path(config, source, _path_of(source, other), known, day)
    return sorted(found, key=lambda file: file.name)


def _other_days(config: Config, manifests: Manifests, day: date, *, look_back: bool) -> list[date]:
    """The other days whose files the night of `day` looks for."""
    others = [day + timedelta(days=1)] if _is_behind_utc(config, day) else []
    nights = [night for night in manifests.nights if night <= day] if look_back else []
    if nights:
        first = max(min(nights), day - timedelta(days=config.window_days))
        others += [first + timedelta(days=n) for n in range((day - first).days)]
    return others


def _of_path(
    config: Config, source: Source, path: str, known: dict[str, list[_Version]], day: date
) -> Iterator[LogFile]:
    """The files at `path` whose current version no other night has read."""
    for place in find_files(path, config.storage):
        file = opened(config, source, place)
        versions = [version for version in known[file.name] if version.night != day]
        if any(v.bytes == place.size and place.modified + _CLOSE < v.read_at for v in versions):
            continue
        if versions:
            identify(file)
        if file.sha256 not in {version.sha256 for version in versions}:
            yield file


def shown(config: Config, place: str) -> str:
    """A file's name in the lake: relative to the workspace if the file is in it."""
    folder = f"{config.workspace}{os.sep}"
    return os.fsencode(place.removeprefix(folder)).decode("utf-8", "backslashreplace")  # may not be valid text


def opened(config: Config, source: Source, place: Found) -> LogFile:
    """A file or object of a source, to be read."""
    opening = partial(open_binary, place.name, config.storage)
    return LogFile(
        source.name,
        shown(config, place.name),
        opening,
        expected_bytes=place.size,
        is_remote=is_remote(place.name),
    )


def _rows_of(source: Source, dsn: str, day: date) -> LogFile:
    name = f"{postgres.shown_dsn(dsn)}?day={day}"
    return LogFile(source.name, name, rows=partial(postgres.postgres_rows, dsn, source.query, day))


def _path_of(source: Source, day: date) -> str:
    return source.path.replace("{day}", day.isoformat())


def _reach(config: Config) -> timedelta:
    return timedelta(days=config.window_days + 1)


def _is_behind_utc(config: Config, day: date) -> bool:
    offset = datetime.combine(day, time(12), ZoneInfo(config.timezone)).utcoffset()
    return offset is not None and offset < timedelta(0)

"""Which files a night reads: those of its day, and of the days before what arrived late or grew since it was read."""

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

# A file's time is that of another clock, and may be a second coarse: what is so close to it is hashed.
_CLOSE = timedelta(seconds=5)


@dataclass(frozen=True)
class _Version:
    """A file as a night has read it."""

    night: date
    sha256: str
    bytes: int
    read_at: datetime


class Manifests:
    """What the nights have read. Each manifest is read once, however many sources ask, so that it is of its moment."""

    def __init__(self, store: Lake) -> None:
        self._store = store
        self._rows: dict[date, list[dict[str, Any]]] = {}

    @cached_property
    def nights(self) -> list[date]:
        """The nights that have a manifest, oldest first."""
        return self._store.days("manifest")

    def versions(self, source: Source, nights: list[date]) -> dict[str, list[_Version]]:
        """How these nights have read the files of a source, by the file's name."""
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
    """The files of a source that the night of `day` is to read, by name.

    A path with `{day}` is looked up for the day itself, whose files are always read; where the time zone is behind
    UTC for the day after too, for logs are mostly filed by UTC; and, with `look_back`, for the days before, back to
    the first night or by `window_days`. Of these, and of a path without `{day}`, a file is read where no other
    night has read it as it is now. A database is asked for the day, and with `look_back` for the day before again.
    """
    if source.dsn:
        others = [day - timedelta(days=1)] * look_back + [day + timedelta(days=1)] * _is_behind_utc(config, day)
        return [_rows_of(source, source.dsn, asked) for asked in sorted([day, *others])]
    if "{day}" not in source.path:
        known = manifests.versions(source, manifests.nights)
        return list(_of_path(config, source, source.path, known, day))
    found = [_opened(config, source, place) for place in find_files(_path_of(source, day), config.storage)]
    if others := _other_days(config, manifests, day, look_back=look_back):
        known = manifests.versions(source, [night for night in manifests.nights if abs(night - day) <= _reach(config)])
        for other in others:
            found += _of_path(config, source, _path_of(source, other), known, day)
    return sorted(found, key=lambda file: file.name)


def _other_days(config: Config, manifests: Manifests, day: date, *, look_back: bool) -> list[date]:
    """The days beside its own for whose files the night of `day` looks."""
    others = [day + timedelta(days=1)] if _is_behind_utc(config, day) else []
    nights = [night for night in manifests.nights if night <= day] if look_back else []
    if nights:
        first = max(min(nights), day - timedelta(days=config.window_days))
        others += [first + timedelta(days=n) for n in range((day - first).days)]
    return others


def _of_path(
    config: Config, source: Source, path: str, known: dict[str, list[_Version]], day: date
) -> Iterator[LogFile]:
    """The files at `path` that no other night has read as they are."""
    for place in find_files(path, config.storage):
        file = _opened(config, source, place)
        versions = [version for version in known[file.name] if version.night != day]
        if any(v.bytes == place.size and place.modified + _CLOSE < v.read_at for v in versions):
            continue
        if versions:
            identify(file)
        if file.sha256 not in {version.sha256 for version in versions}:
            yield file


def shown(config: Config, place: str) -> str:
    """A file's name in the lake: relative to the workspace where it lies in it."""
    folder = f"{config.workspace}{os.sep}"
    return os.fsencode(place.removeprefix(folder)).decode("utf-8", "backslashreplace")  # a name need not be text


def _opened(config: Config, source: Source, place: Found) -> LogFile:
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

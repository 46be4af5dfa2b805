"""Which files a night reads: the files of its day, and files of earlier days that arrived late or have grown.

A file is known by its content: one that was renamed or compressed since it was read is not read again.
"""

import contextlib
import glob
import os
from datetime import date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from flows.config import Config, Source, not_set, unset_variables
from flows.errors import UnreadableError
from flows.ingest.find import postgres
from flows.ingest.find.known_files import KnownFiles, Manifests, Version, twins
from flows.ingest.pull import pull, shown_page, spool_of
from flows.ingest.read import HEAD_BYTES, Content, EarlierReading, LogFile, content_of
from flows.lake import Found, is_remote, open_binary, reason_of, search

# A file's time is from another clock, possibly rounded to a second: files with a time this close are hashed.
_CLOSE = timedelta(seconds=5)


def arrived(
    config: Config, manifests: Manifests, source: Source, day: date, *, look_back: bool = True
) -> list[LogFile]:
    """The files of a source that the night of `day` must read, by name, and what it cannot read, with its `problem`.

    A path with `{day}` is looked up for the day itself, whose files are always read. Logs are mostly named by UTC days:
    if the time zone is behind UTC, it is also looked up for the next day; with `look_back` it is looked up for the day
    before if the zone is ahead of UTC, and for earlier days, back to the first night or by `window_days`. Files of
    other days, and of a path without `{day}`, are read if no other night has read the same version. A file under a new
    name is read if nothing that was read has its content. A database is queried for the day, and with `look_back` for
    the day before again. A source that uses an environment variable that is not set is one such problem.
    """
    if unset := unset_variables(source):
        place = source.path.replace("{day}", day.isoformat()) or ("server" if source.api else "database")
        return [LogFile(source.name, manifests.naming(shown(config, place)), problem=not_set(unset[0]))]
    ahead = _offset(config, day)
    if source.dsn:
        others = [day - timedelta(days=1)] * look_back + [day + timedelta(days=1)] * (ahead < timedelta(0))
        return [_rows_of(source, source.dsn, asked) for asked in sorted([day, *others])]
    if source.api:
        return _pulled(config, manifests, source, day, source.api.late_days if look_back else 0)
    if "{day}" not in source.path:
        return _Night(config, manifests, source, day, manifests.nights).files({"": False})
    nights = [one for one in manifests.nights if abs(one - day) <= _reach(config)]
    night = _Night(config, manifests, source, day, nights)
    others = _other_days(config, manifests, day, look_back=look_back)
    return night.files({day.isoformat(): True, **{other.isoformat(): False for other in others}})


def _pulled(config: Config, manifests: Manifests, source: Source, day: date, late_days: int) -> list[LogFile]:
    """The pages of an API for a day, and for the late days before it back to the first night, pulled now.

    A day that cannot be pulled to its end is one file with a problem: its pages wait for the next run.
    """
    first = min([*manifests.nights, day])
    days = [one for n in range(late_days, -1, -1) if (one := day - timedelta(days=n)) >= first]
    found, whole = list[LogFile](), list[date]()
    for one in days:
        try:
            pull(config, source, one, manifests.clients.of(source))
            whole.append(one)
        except UnreadableError as error:
            name = shown_page(source, f"{one}/api")
            found.append(LogFile(source.name, manifests.naming(name), problem=error.why))
    spool = spool_of(config, source)
    pages = source.model_copy(update={"path": f"{glob.escape(str(spool.folder))}/{{day}}/*-*.json"})
    nights = [one for one in manifests.nights if abs(one - day) <= _reach(config)]
    night = _Night(config, manifests, pages, day, nights)
    return found + night.files({one.isoformat(): one == day for one in whole})


def _reach(config: Config) -> timedelta:
    return timedelta(days=config.window_days + 1)


def _other_days(config: Config, manifests: Manifests, day: date, *, look_back: bool) -> list[date]:
    """The other days whose files the night of `day` looks for."""
    ahead = _offset(config, day)
    others = {day + timedelta(days=1)} if ahead < timedelta(0) else set()
    if look_back:
        nights = [night for night in manifests.nights if night <= day]
        first = max(min(nights), day - timedelta(days=config.window_days)) if nights else day
        others |= {first + timedelta(days=n) for n in range((day - first).days)}
        others |= {day - timedelta(days=1)} if ahead > timedelta(0) else set()
    return sorted(others)


class _Night:
    """The files of one source for one night."""

    def __init__(self, config: Config, manifests: Manifests, source: Source, day: date, nights: list[date]) -> None:
        self._config, self._source, self._day = config, source, day
        self._known: KnownFiles = manifests.known(source, nights)
        self._taken, self._naming = manifests.taken, manifests.naming
        # Files of this night under the names that they had when it read them, and have no more.
        self._moved: list[tuple[Version, str]] = []
        # The versions of files that are not there any more.
        self._lost: list[Version] = []
        self._lost_sizes: set[int | None] = set()

    def files(self, days: dict[str, bool]) -> list[LogFile]:
        """The files to read of some days, and what cannot be read; for each day, whether it is the night's own."""
        listings = {day: search(self._source.path.replace("{day}", day), self._config.storage) for day in days}
        there = {self._shown(one.name) for listing in listings.values() for one in listing.files}
        self._lost = self._known.named(*sorted(self._known.names - there))
        self._lost_sizes = {size for one in self._lost for size in (one.bytes, one.content_bytes)}
        found: list[LogFile] = []
        for day, is_own in days.items():
            for place in listings[day].files:
                if file := self._arrival(place, there, is_own=is_own):
                    found.append(file)
            for unread in listings[day].unread:
                name = self._shown(unread.name)
                # A folder that was locked after its files were read is no news.
                if is_own or not any(one.startswith((f"{name}/", name)) for one in self._known.names):
                    found.append(LogFile(self._source.name, name, problem=unread.why))
        self._mark_moved({file.name: file for file in found})
        return sorted(found, key=lambda file: file.name)

    def _shown(self, place: str) -> str:
        return self._naming(shown_page(self._source, place) if self._source.api else shown(self._config, place))

    def _arrival(self, place: Found, there: set[str], *, is_own: bool) -> LogFile | None:
        """The file, if it must be read."""
        file = opened(self._config, self._source, place, self._shown(place.name))
        own_versions = self._known.named(file.name)
        others = [version for version in own_versions if version.night != self._day]
        if not is_own and any(v.bytes == place.size and place.modified + _CLOSE < v.read_at for v in others):
            return None
        is_looked_into = bool(others) or self._may_be_known(place, file, there)
        try:
            return self._unless_known(file, place, is_own=is_own) if is_looked_into else file
        except UnreadableError as error:
            file.problem = error.why
        except OSError as error:
            file.problem = reason_of(error)
        return file if is_own or not others else None

    def _unless_known(self, file: LogFile, place: Found, *, is_own: bool) -> LogFile | None:
        """The file with the readings that it continues; None if its content was read under any name."""
        matching = self._known.matching(file, self._day, place.size, self._lost)
        if matching is None:
            return file
        whole, begun = matching
        is_named = bool(self._known.named(file.name))
        if whole and not (is_own and is_named):
            self._moved += [(version, file.name) for version in whole if version.night == self._day]
            return None
        if not is_named and self._is_taken(file):
            return None
        found = {(version.night, version.name) for version in [*begun, *whole] if version.quarantined}
        file.continues = tuple(EarlierReading(*one) for one in sorted(found))
        return file

    def _is_taken(self, file: LogFile) -> bool:
        """Whether this run reads another file with the same content; the head of this one is known."""
        assert file.content is not None
        alike = self._taken[file.source, file.content.head]
        others = [other for other in alike if other.name != file.name]
        if others:
            own = _whole_content(file)
            for other in others:
                with contextlib.suppress(UnreadableError, OSError):  # its own reading will tell
                    content = _whole_content(other)
                    if (content.bytes, content.sha256) == (own.bytes, own.sha256):
                        return True
        alike.append(file)
        return False

    def _may_be_known(self, place: Found, file: LogFile, there: set[str]) -> bool:
        """Whether to look into a file under a new name. Of a store's objects only where something speaks for it."""
        if not file.is_remote or place.size in self._lost_sizes:
            return True
        return bool(set(twins(file.name)) & ((there | self._known.names) - {file.name}))

    def _mark_moved(self, files: dict[str, LogFile]) -> None:
        """Of a file that the night reads again under a name, where what it had read under that name is now."""
        for version, name in self._moved:
            file = files.get(version.name)
            if file is not None and file.open is not None and not file.problem:
                with contextlib.suppress(UnreadableError, OSError):  # its own reading will tell
                    content = content_of(file.open, {version.content_bytes} if version.content_bytes else ())
                    if not version.begins(content):
                        file.moved_to = name


def _whole_content(file: LogFile) -> Content:
    """The content of a file of which at least the head is known; kept with it until it is read."""
    assert file.open is not None
    assert file.content is not None
    if file.content.bytes == HEAD_BYTES:
        file.content = content_of(file.open)
    return file.content


def shown(config: Config, place: str) -> str:
    """A file's name in the lake: relative to the workspace if the file is in it."""
    folder = f"{config.workspace}{os.sep}"
    return os.fsencode(place.removeprefix(folder)).decode("utf-8", "backslashreplace")  # may not be valid text


def opened(config: Config, source: Source, place: Found, name: str | None = None) -> LogFile:
    """A file or object of a source, to be read, under `name` or under its own."""
    opening = partial(open_binary, place.name, config.storage)
    return LogFile(
        source.name,
        name or shown(config, place.name),
        opening,
        expected_bytes=place.size,
        modified=None if source.api else place.modified,
        is_remote=is_remote(place.name),
    )


def _rows_of(source: Source, dsn: str, day: date) -> LogFile:
    name = f"{postgres.shown_dsn(dsn)}?day={day}"
    return LogFile(source.name, name, rows=partial(postgres.postgres_rows, dsn, source.query, day))


def _offset(config: Config, day: date) -> timedelta:
    """How far the time zone is ahead of UTC on a day."""
    return datetime.combine(day, time(12), ZoneInfo(config.timezone)).utcoffset() or timedelta(0)

"""Where a source has files, and which of them is the newest."""

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from flows.config import Config, Source
from flows.ingest.find import opened
from flows.ingest.read import LogFile
from flows.lake import Found, find_files, is_remote

_ANY_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_DAYS_BACK = 31  # days that are looked up one by one in an object store: listing all of it may take minutes


@dataclass(frozen=True)
class Located:
    """The files of a source: their number for the day that was asked for, and the newest of all with its day."""

    for_day: int
    newest: LogFile | None
    newest_day: date | None


def located(config: Config, source: Source, day: date) -> Located:
    """The files of a source that has a path. Raises RunError if an object store cannot be reached.

    The newest file is that of the newest day in a name; among those of one day, or without days, the one that changed
    last.
    """
    for_day = find_files(_path_of(source, day), config.storage)
    if "{day}" not in source.path:
        return Located(len(for_day), _newest(config, source, for_day), None)
    if is_remote(source.path):
        newest_day, found = (day, for_day) if for_day else _last_remote(config, source, day)
    else:
        newest_day, found = _last_of_any_day(config, source)
    return Located(len(for_day), _newest(config, source, found), newest_day)


def _last_remote(config: Config, source: Source, day: date) -> tuple[date | None, list[Found]]:
    for back in range(1, _DAYS_BACK + 1):
        earlier = day - timedelta(days=back)
        if found := find_files(_path_of(source, earlier), config.storage):
            return earlier, found
    return _last_of_any_day(config, source)


def _last_of_any_day(config: Config, source: Source) -> tuple[date | None, list[Found]]:
    """The newest day that the names of the files have at `{day}`, and its files."""
    by_day: dict[date, list[Found]] = {}
    for file in find_files(source.path.replace("{day}", _ANY_DAY), config.storage):
        for day in _days_of(source, file.name):
            by_day.setdefault(day, []).append(file)
    newest = max(by_day, default=None)
    return newest, by_day[newest] if newest else []


def _days_of(source: Source, name: str) -> Iterator[date]:
    for text in dict.fromkeys(re.findall(r"\d{4}-\d{2}-\d{2}", name)):
        if fnmatch.fnmatchcase(name, source.path.replace("{day}", text)):
            try:
                yield date.fromisoformat(text)
            except ValueError:
                continue


def _path_of(source: Source, day: date) -> str:
    return source.path.replace("{day}", day.isoformat())


def _newest(config: Config, source: Source, found: list[Found]) -> LogFile | None:
    last = max(found, key=lambda file: (file.modified, file.name), default=None)
    return opened(config, source, last) if last else None

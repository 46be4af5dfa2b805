"""Names of files to the fewest globs that match them and no others, with `{day}` where a name has its day.

Names are texts with slashes. Nothing here reads a disk.
"""

import fnmatch
import glob
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from itertools import takewhile

DAY = "{day}"
_DAY = re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)")
# What differs between the files of one writer: ids, hashes, numbers.
_VARYING = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|(?<![A-Za-z])[0-9a-fA-F]{8,}(?![A-Za-z])|\d+")
_SUFFIX = re.compile(r"(?P<kind>\.(?:jsonl|ndjson|json|csv|parquet|log|txt))(?P<packed>\.(?:gz|zst))?$", re.IGNORECASE)
_SEPARATOR = re.compile(r"[^A-Za-z0-9]")
_MOST_GROUPS = 24


def day_in(name: str) -> date | None:
    """The first ISO day in a name."""
    for text in _DAY.findall(name):
        try:
            return date.fromisoformat(text)
        except ValueError:
            continue
    return None


def grouped(names: Iterable[str]) -> list[list[str]]:
    """Names that are likely of one writer, together: at most about `_MOST_GROUPS` groups of what is in one format.

    With few names each is a group of its own, but for its day; with more, ids and numbers are left out of account, and
    with very many all but the depth and the suffix.
    """
    ordered = sorted(names)
    keys: tuple[Callable[[str], object], ...] = (_with_day, lambda name: _VARYING.sub("*", _with_day(name)), _shape)
    for key in keys:
        groups: dict[object, list[str]] = {}
        for name in ordered:
            groups.setdefault(key(name), []).append(name)
        if len(groups) <= _MOST_GROUPS:
            break
    return list(groups.values())


def patterns(groups: Sequence[tuple[str, Sequence[str]]], others: Iterable[str]) -> list[tuple[str, str, list[str]]]:
    """The globs of groups of names, each of one format: format, glob and the names that it matches.

    One glob takes as many groups as it can without matching a name of another format or one of the `others`.
    """
    found = []
    for log_format in sorted({name for name, _ in groups}):
        mine = [list(names) for name, names in groups if name == log_format]
        foreign = [*others, *(one for name, names in groups if name != log_format for one in names)]
        by_shape: dict[object, list[list[str]]] = {}
        for names in mine:
            by_shape.setdefault(_position(names[0]), []).append(names)
        for shaped in by_shape.values():
            found += [(log_format, pattern, names) for pattern, names in _fewest(shaped, foreign)]
    return found


def _fewest(groups: list[list[str]], foreign: list[str]) -> list[tuple[str, list[str]]]:
    """One glob for all groups, else one for each folder, else one for each group."""
    together = sorted(name for names in groups for name in names)
    pattern = _pattern_of(together)
    if len(groups) == 1 or not any(matches(pattern, name) for name in foreign):
        return [(pattern, together)]
    by_folder: dict[str, list[list[str]]] = {}
    for names in groups:
        by_folder.setdefault(_with_day(names[0]).rpartition("/")[0], []).append(names)
    if len(by_folder) == 1:
        return [(_pattern_of(names), names) for names in groups]
    return [one for several in by_folder.values() for one in _fewest(several, foreign)]


def matches(pattern: str, name: str) -> bool:
    """Whether a glob matches a name on any day."""
    parts, names = pattern.replace(DAY, "????-??-??").split("/"), name.split("/")
    return len(parts) == len(names) and all(map(fnmatch.fnmatchcase, names, parts))


def _pattern_of(names: Sequence[str]) -> str:
    """The glob of names of one depth, part by part."""
    columns = zip(*(_with_day(name).split("/") for name in names), strict=True)
    *folders, files = [sorted(set(column)) for column in columns]
    return "/".join([*(_merged(folder, "") for folder in folders), _merged(files, _shared_suffix(files))])


def _merged(texts: Sequence[str], suffix: str) -> str:
    """One part of a path: as it is, or what all begin with up to a separator, a star, and the suffix."""
    if len(texts) == 1:
        return glob.escape(texts[0])
    start = "".join(same[0] for same in takewhile(lambda several: len(set(several)) == 1, zip(*texts, strict=False)))
    while start and not (_SEPARATOR.fullmatch(start[-1]) and start.count("{") == start.count("}")):
        start = start[:-1]
    if suffix and start.endswith(suffix.rstrip("*")):
        start = start.removesuffix(suffix.rstrip("*"))
    middle = "*"
    if any(DAY in text for text in texts) and DAY not in start:
        middle = f"*{DAY}" if all(f"{DAY}{suffix.rstrip('*')}" in text for text in texts) else f"*{DAY}*"
    return glob.escape(start) + middle + suffix


def _shared_suffix(files: Sequence[str]) -> str:
    """The suffix of all files; with a star where some are compressed; empty where they differ."""
    found = [_SUFFIX.search(file) for file in files]
    kinds = {match["kind"] if match else "" for match in found}
    if len(kinds) > 1:
        return ""
    packed = {match["packed"] or "" for match in found if match}
    return kinds.pop() + (packed.pop() if len(packed) == 1 else "*" if packed else "")


def _with_day(name: str) -> str:
    """A name with `{day}` in every place of its first day, and stars for other days."""
    first = day_in(name)
    if first is None:
        return name
    return _DAY.sub(lambda match: DAY if match[0] == first.isoformat() else match[0], name)


def _position(name: str) -> tuple[int, tuple[int, ...]]:
    """The depth of a name and the parts that have its day."""
    parts = _with_day(name).split("/")
    return len(parts), tuple(place for place, part in enumerate(parts) if DAY in part)


def _shape(name: str) -> tuple[object, ...]:
    match = _SUFFIX.search(name)
    return *_position(name), match["kind"] if match else ""

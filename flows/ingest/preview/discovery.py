"""The logs at a place that nobody has described yet: which sources they are, in which formats."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path

from flows.config import Config, Source
from flows.errors import ConfigError, RunError
from flows.ingest.find import Table, opened, postgres_rows, tables
from flows.ingest.preview import log_paths
from flows.ingest.preview.own_formats import check_formats
from flows.ingest.preview.sample_reading import SAMPLE, Previewer, SampleReading
from flows.ingest.read import LogFile
from flows.lake import Found, find_files, is_remote
from flows.progress import track

# Folders of a workspace that hold no logs.
_NO_LOGS = {"lake", "reports", "node_modules", "__pycache__", "prompts", "dbt", "expectations", "formats"}
_LOG = re.compile(r"\.(?:jsonl|ndjson|json|csv|parquet|log|txt)(?:\W|$)|/[^./]+$", re.IGNORECASE)
_TRIED = 3  # files of a group that are tried before it counts as no log: the newest may be empty


@dataclass(frozen=True)
class FoundSource:
    """A source as `genchi.yaml` would name it: a format, and a path, or the query of a database (None: the default).

    `newest` is the file or table that was read, `reading` what was in it; `days` are those in the names of the files,
    or else those of the calls that were read.
    """

    format: str
    reading: SampleReading
    newest: str
    days: tuple[date, ...]
    path: str = ""
    query: str | None = None
    files: int = 0


@dataclass(frozen=True)
class Discovery:
    """The sources at a place, and what was there besides: a name and why it is none."""

    sources: tuple[FoundSource, ...]
    ignored: tuple[tuple[str, str], ...]
    files: int = 0
    bytes: int = 0


def discover(config: Config, place: str) -> Discovery:
    """Look at a folder, a glob (which may have `{day}`), an `s3://` address or a PostgreSQL address.

    `config` says where relative names begin, what is redacted, and the time zone. Raises ConfigError if there is no
    such place, or a format of the workspace cannot be run, and RunError if a store or a database cannot be reached.
    """
    check_formats(config, every=True)
    with Previewer(config) as previewer:
        if is_database(place):
            return _database(previewer, place)
        return _files(config, previewer, place)


def is_database(place: str) -> bool:
    """Whether a place is the address of a PostgreSQL database."""
    return place.startswith(("postgres://", "postgresql://"))


def _files(config: Config, previewer: Previewer, place: str) -> Discovery:
    found = {_named(config, file): file for file in _candidates(config, place)}
    groups: list[tuple[str, list[str]]] = []
    others: list[str] = []
    readings: dict[str, SampleReading] = {}
    ignored: list[tuple[str, str]] = []
    waiting = log_paths.grouped(found)
    for names in track(waiting, "files", len(waiting)):
        newest = sorted(names, key=lambda name: (log_paths.day_in(name) or date.min, found[name].modified, name))[::-1]
        reading, name, problem = _first_read(config, previewer, [(one, found[one]) for one in newest[:_TRIED]])
        if reading is None:
            ignored.append((name, problem))
            others += names
        else:
            groups.append((reading.format, names))
            readings[name] = reading
    sources = []
    for log_format, pattern, names in log_paths.patterns(groups, others):
        sampled = [(readings[name], name) for name in names if name in readings]
        reading, newest_name = max(sampled, key=lambda one: (log_paths.day_in(one[1]) or date.min, one[0].days))
        reading = _together(reading, [one for one, _ in sampled])
        days = sorted({day for name in names if (day := log_paths.day_in(name)) and log_paths.DAY in pattern})
        sources.append(FoundSource(log_format, reading, newest_name, tuple(days) or reading.days, path=pattern,
                                   files=len(names)))  # fmt: skip
    return Discovery(tuple(sources), tuple(ignored), len(found), sum(file.size for file in found.values()))


def _candidates(config: Config, place: str) -> Iterator[Found]:
    """The files at a place that may be logs."""
    is_folder = is_remote(place) or Path(place).is_dir()
    if not is_folder and not Path(place).is_file() and not re.search(r"[*?\[]|\{day\}", place):
        raise ConfigError(
            f"{place}: no such file or folder; name a folder, a glob, s3://bucket/prefix or postgresql://"
        )
    has_stars = re.search(r"[*?\[]|\{day\}", place) is not None and not Path(place).exists()
    pattern = place.replace(log_paths.DAY, "*")
    if is_folder and not has_stars:
        pattern = f"{place.rstrip('/')}/**/*" if is_remote(place) else str(Path(place).absolute() / "**" / "*")
    elif not is_remote(place):
        pattern = str(Path(pattern).absolute())
    for file in find_files(pattern, config.storage):
        name = _named(config, file)
        if has_stars or not is_folder or (_LOG.search(f"/{name}") and not _NO_LOGS & set(name.split("/")[:-1])):
            yield file


def _named(config: Config, file: Found) -> str:
    """A file's name as a path of a source: relative to the workspace if the file is in it."""
    folder = f"{config.workspace}/"
    return file.name.removeprefix(folder)


def _first_read(
    config: Config, previewer: Previewer, files: Sequence[tuple[str, Found]]
) -> tuple[SampleReading | None, str, str]:
    """The best reading of the first file that any format reads; else the first file's name, and why it is no log."""
    source = Source(name="init", format="genchi", path="*")
    problems = []
    for name, file in files:
        log = opened(config, source, file)
        try:
            first, *best = previewer.read(source, log)
        except RunError as error:
            problems.append(str(error))
            continue
        if best:
            return best[0], name, ""
        problems.append(log.problem or ("no format reads it" if first.records else "empty"))
    return None, files[0][0], problems[0]


def _together(newest: SampleReading, readings: list[SampleReading]) -> SampleReading:
    """The reading of a source's newest file, with the routes, models and days of its other groups."""

    def all_of(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value for one in (newest, *readings) for value in getattr(one, name)))

    days = {day for one in readings for day in one.days}
    return replace(newest, routes=all_of("routes"), models=all_of("models"), days=tuple(sorted(days)))


def _database(previewer: Previewer, dsn: str) -> Discovery:
    """The tables of a database that a format reads as calls."""
    sources, ignored = [], []
    there = tables(dsn)
    for table in track(there, "tables", len(there)):
        log = LogFile("init", table.name, rows=partial(postgres_rows, dsn, table.sample(SAMPLE), date.min))
        first, *best = previewer.read(Source(name="init", format="litellm", dsn=dsn), log)
        if not best:
            ignored.append((table.name, "no format reads it" if first.records else "empty"))
        elif (column := table.time_column) is None:
            ignored.append((table.name, f"{best[0].format} reads it, but it has no column with a time"))
        else:
            sources.append(_of_table(dsn, best[0], table, column))
    return Discovery(tuple(sources), tuple(ignored), len(there))


def _of_table(dsn: str, reading: SampleReading, table: Table, column: str) -> FoundSource:
    query = None if table.is_spend_logs and reading.format == "litellm" else table.query(column)
    try:
        days = table.days(dsn, column)
    except RunError:  # no index on it, and too many rows
        days = reading.days
    return FoundSource(reading.format, reading, table.name, days, query=query)

"""A night's files into the lake: read, mapped, put under their days, and counted.

A run is published as a whole: one that is killed leaves the lake as it was.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

import pyarrow as pa

from flows.config import Config, Source
from flows.ingest.find import Manifests, arrived, fetched
from flows.ingest.map import TABLES, Workers
from flows.ingest.pull import Clients, clear_read
from flows.ingest.read import Batch, LogFile, ahead, read_files
from flows.ingest.redact import FileNames
from flows.ingest.spread import Files, Spread
from flows.ingest.write import (
    INCOMPLETE,
    KINDS,
    REFUSED_AGAIN,
    KnownRejects,
    Lanes,
    ManifestRow,
    Partitions,
    Quarantine,
    RecordCounts,
    Sieve,
    stage_manifest,
    stage_resolved,
)
from flows.lake import CALL, Lake, Staging, add_tombstones, each_day, read_tombstones
from flows.progress import track
from flows.source_arrivals import arrivals
from flows.words import counted, with_counts

log = logging.getLogger("genchi")

_PUBLISHED_TOGETHER_BYTES = 1 << 30
_TOLD = 20
_MOST_LANES = 8


@dataclass(frozen=True)
class Landed:
    """The result of reading one or several nights' files. `days` are those whose rows changed."""

    files: int = 0
    unread: int = 0
    records: int = 0
    interactions: int = 0
    feedback: int = 0
    duplicates: int = 0
    other: int = 0
    quarantined: int = 0
    incomplete: int = 0
    redacted: int = 0
    forgotten: int = 0
    days: tuple[date, ...] = ()

    def __add__(self, other: "Landed") -> "Landed":
        names = [name for name in vars(self) if name != "days"]
        counts = {name: getattr(self, name) + getattr(other, name) for name in names}
        return Landed(**counts, days=tuple(sorted({*self.days, *other.days})))

    def summary(self) -> str:
        """The counts as one line."""
        counts = [
            (self.interactions, "calls"),
            (self.feedback, "feedback signals"),
            (self.duplicates, "duplicates dropped"),
            (self.other, "records other than LLM calls"),
            (self.incomplete, "records with unreadable values"),
            (self.redacted, "redactions"),
            (self.forgotten, "records of forgotten people dropped"),
        ]
        parts = [f"{count:,} {name}" for count, name in counts if count or name == "calls"]
        unread = f", {self.unread:,} files or folders could not be read" if self.unread else ""
        return f"{', '.join(parts)}, {self.quarantined:,} quarantined, from {counted(self.files, 'file')}{unread}"


def land(config: Config, day: date) -> Landed:
    """Read every source's files for the night of `day` into the lake. Any number of times, with the same result.

    A source with far less than on all days before is told, with the hour by which it is usually complete.
    """
    landed = land_days(config, day, day)
    for source in arrivals(config, config.open_lake(), day).values():
        if source.is_late:
            log.warning("%s", source.told(day))
    return landed


def land_days(config: Config, first: date, last: date) -> Landed:
    """Read every day's files from `first` to `last`, both included. Returns the sum over the nights.

    Nights with small files are published together: that saves the fixed cost of a publication.
    """
    total = Landed()
    store = config.open_lake()
    with (
        store.run("ingest"),
        Workers(config, secret := config.secret_of_user_keys(store)) as workers,
        Clients() as clients,
        config.engine.open_tasks() as tasks,
    ):
        spread = Spread(config, secret, tasks) if tasks else None
        naming = FileNames(config.redact, secret)
        sieve = Sieve(read_tombstones(store, secret))
        nights, manifests = list[_Night](), Manifests(store, naming, clients)
        for day in track(each_day(first, last), "landing", (last - first).days + 1):
            nights.append(_arrivals(config, manifests, day, nights, is_first=day == first))
            if day == last or sum(night.size for night in nights) > _PUBLISHED_TOGETHER_BYTES:
                total += _land(config, store, spread or workers, nights, sieve)
                clear_read(config)
                nights, manifests = [], Manifests(store, naming, clients)
    return total


@dataclass(frozen=True)
class _Night:
    """The files that a night reads, for each source in the order of the sources."""

    day: date
    files: list[list[LogFile]]

    @property
    def all_files(self) -> list[LogFile]:
        return [file for files in self.files for file in files]

    @property
    def size(self) -> int:
        return sum(file.expected_bytes for file in self.all_files)


def _arrivals(config: Config, manifests: Manifests, day: date, before: list[_Night], *, is_first: bool) -> _Night:
    """The files of the night of `day`, except those of the nights `before`, which are not published yet."""
    files = [arrived(config, manifests, source, day, look_back=is_first) for source in config.sources]
    for number, source in enumerate(config.sources):
        if source.path and "{day}" not in source.path:
            taken = {file.name for night in before for file in night.files[number]}
            files[number] = [file for file in files[number] if file.name not in taken]
    return _Night(day, files)


class _Run:
    """One publication: the files of several nights, first read, then merged with the lake, then counted."""

    def __init__(self, config: Config, store: Lake, staged: Staging, nights: list[_Night], lanes: Lanes) -> None:
        self._config, self._store, self._staged, self._nights = config, store, staged, nights
        self._counts = RecordCounts(frozenset(night.day for night in nights))
        files = self._counts.files
        self._tables = {name: Partitions(name, config.timezone, staged, files, lanes) for name in TABLES.values()}
        self._known = KnownRejects(store, (file for night in nights for file in night.all_files))
        self._unreadable: Counter[tuple[str, str]] = Counter()  # by source and column
        self.forgotten = self.redacted = 0
        self._quarantine = {night.day: Quarantine(store, staged, night.day, self._known) for night in nights}

    def read(self, readers: Workers | Spread, sieve: Sieve) -> None:
        """Map every record, and stage its row or its reject, or drop it as forgotten."""
        if isinstance(readers, Spread):
            self._read_spread(readers, sieve)
        else:
            self._read_here(readers, sieve)
        if (signals := sieve.take_feedback()) is not None:
            kept, dropped = signals
            self._tables["feedback"].add(kept)
            self._counts.add_rows("other", dropped)
            self.forgotten += len(dropped)
        for night in self._nights:
            self._quarantine[night.day].close(night.all_files)

    def _read_here(self, workers: Workers, sieve: Sieve) -> None:
        redacted = workers.redacted.total()
        for all_mapped in workers.mapped(ahead(_batches(self._opened()))):
            mapped = sieve.sift(all_mapped)
            self.forgotten += len(mapped.other) - len(all_mapped.other)
            for name, partitions in self._tables.items():
                partitions.add(getattr(mapped, name))
            self._counts.add_rows("other", mapped.other)
            self._add_refused(mapped.refused)
            self._add_incomplete(mapped.incomplete)
        self.redacted += workers.redacted.total() - redacted

    def _read_spread(self, spread: Spread, sieve: Sieve) -> None:
        for reading in spread.readings(self._staged, self._opened()):
            for name, partitions in self._tables.items():
                for part in reading.parts.get(name, ()):
                    partitions.take(part)
            self._counts.add("other", reading.other, reading.first)
            for refused in spread.refused(self._staged, reading):
                self._add_refused(refused)
            self._counts.add(INCOMPLETE, reading.incomplete, reading.first)
            self._unreadable.update(reading.unreadable)
            sieve.absorb(reading.sieve)
            self.forgotten += reading.forgotten
            self.redacted += reading.redacted

    def _add_refused(self, rows: pa.Table) -> None:
        self._counts.add_rows("quarantined", rows)
        for day, refused in self._counts.by_night(rows):
            self._counts.add_rows(REFUSED_AGAIN, self._quarantine[day].add(refused, self._counts.files))

    def merge(self) -> tuple[date, ...]:
        """Drop duplicates, within the run and against the lake. Returns the days whose rows changed."""
        for name, partitions in self._tables.items():
            counts = partitions.finish(self._store, len(self._counts.files))
            self._counts.add(name, counts.kept)
            self._counts.add("duplicates", counts.duplicates)
            self._counts.taken_back += counts.taken_back
        return tuple(sorted({day for partitions in self._tables.values() for day in partitions.days}))

    def count(self, read_at: datetime) -> Landed:
        """Stage the manifests, and add them up."""
        resolved = stage_resolved(self._store, self._staged, self._known, self._counts.all_nights)
        rows = stage_manifest(self._store, self._staged, self._counts, read_at, resolved)
        unread = [row for row in rows if row.problem is not None]
        _tell(unread)
        _tell_unreadable(self._unreadable)
        return Landed(
            files=len(rows) - len(unread),
            unread=len(unread),
            **{kind: sum(getattr(row, kind) for row in rows) for kind in ("records", *KINDS)},
            incomplete=sum(row.incomplete or 0 for row in rows),
        )

    def _add_incomplete(self, incomplete: pa.Table) -> None:
        self._counts.add_rows(INCOMPLETE, incomplete)
        for file, columns in zip(
            incomplete.column("file").to_pylist(), incomplete.column("unreadable").to_pylist(), strict=True
        ):
            self._unreadable.update((self._counts.files[file].source, column) for column in columns.split())

    def _opened(self) -> list[Files]:
        """The files of every source, from one night to the next, with the numbers that they have from now on."""
        found = []
        for number, source in enumerate(self._config.sources):
            files = [(night.day, file) for night in self._nights for file in night.files[number]]
            found.append(Files(source, self._counts.open(files), [file for _, file in files]))
        return found


def _batches(opened: list[Files]) -> Iterator[tuple[Source, Batch]]:
    for given in opened:
        for batch in read_files(fetched(given.files), given.first):
            yield given.source, batch


def _tell(unread: list[ManifestRow]) -> None:
    """Log what could not be read; of many things the first."""
    for row in unread[:_TOLD]:
        log.warning("source %s: %s: %s", row.source, row.file, row.problem)
    if len(unread) > _TOLD:
        log.warning("%s more files or folders could not be read; the manifest lists them", f"{len(unread) - _TOLD:,}")


def _tell_unreadable(columns: Counter[tuple[str, str]]) -> None:
    """Log which columns of a source are null for values that could not be read, and how many."""
    for source in sorted({source for source, _ in columns}):
        of = with_counts((column, count) for (one, column), count in columns.most_common() if one == source)
        log.warning("source %s: values that could not be read are null: %s", source, of)


def _land(config: Config, store: Lake, readers: Workers | Spread, nights: list[_Night], sieve: Sieve) -> Landed:
    read_at = datetime.now(UTC)
    with store.staging() as staged, Lanes(min(_MOST_LANES, config.engine.processors)) as lanes:
        run = _Run(config, store, staged, nights, lanes)
        run.read(readers, sieve)
        if sieve.ids[CALL]:
            sieve.tombstones = add_tombstones(store, sieve.tombstones, nights[0].day, read_at, sieve.ids)
        days = run.merge()
        landed = run.count(read_at)
    return replace(landed, redacted=run.redacted, forgotten=run.forgotten, days=days)

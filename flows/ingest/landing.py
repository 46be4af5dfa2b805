"""A night's files into the lake: read, mapped, put under their days, and accounted for.

Nothing of a run is seen in the lake until all of it is: a run that dies leaves the lake as it was.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from flows.config import Config, Source
from flows.ingest.find import Manifests, arrived, fetched
from flows.ingest.map import TABLES, Workers
from flows.ingest.read import Batch, LogFile, read_files
from flows.ingest.write import KINDS, REFUSED_AGAIN, KnownRejects, Partitions, Quarantine, RecordCounts, stage_manifest
from flows.lake import Lake, each_day
from flows.progress import track

_TOGETHER_BYTES = 1 << 30


@dataclass(frozen=True)
class Landed:
    """What one night's reading came to. `days` are those whose rows were touched."""

    files: int = 0
    records: int = 0
    interactions: int = 0
    feedback: int = 0
    duplicates: int = 0
    other: int = 0
    quarantined: int = 0
    redacted: int = 0
    days: tuple[date, ...] = ()

    def __add__(self, other: "Landed") -> "Landed":
        names = [name for name in vars(self) if name != "days"]
        counts = {name: getattr(self, name) + getattr(other, name) for name in names}
        return Landed(**counts, days=tuple(sorted({*self.days, *other.days})))

    def summary(self) -> str:
        """The counts in words, for a line."""
        counts = [
            (self.interactions, "calls"),
            (self.feedback, "signals of feedback"),
            (self.duplicates, "duplicates dropped"),
            (self.other, "no LLM calls"),
            (self.redacted, "redactions"),
        ]
        told = [f"{count:,} {name}" for count, name in counts if count or name == "calls"]
        return f"{', '.join(told)}, {self.quarantined:,} quarantined, from {self.files} files"


def land(config: Config, day: date) -> Landed:
    """Read every source's files for the night of `day` into the lake. Any number of times, with the same result."""
    return land_days(config, day, day)


def land_days(config: Config, first: date, last: date) -> Landed:
    """Read every day's files from `first` to `last`, both included, and add up what became of them.

    Several nights are published together as long as their files are small: it saves what each costs of itself.
    """
    total = Landed()
    store = config.open_lake()
    with store.lock("ingest"), Workers(config, _secret(config, store)) as workers:
        several, manifests = list[_Night](), Manifests(store)
        for day in track(each_day(first, last), "landing", (last - first).days + 1):
            several.append(_arrivals(config, manifests, day, several, is_first=day == first))
            if day == last or sum(night.size for night in several) > _TOGETHER_BYTES:
                total += _land(config, store, workers, several)
                several, manifests = [], Manifests(store)
    return total


def _secret(config: Config, store: Lake) -> bytes:
    return config.user_key_secret.encode() if config.user_key_secret else store.user_key_secret()


@dataclass(frozen=True)
class _Night:
    """What a night is to read: the files of each source, in the order of the sources."""

    day: date
    files: list[list[LogFile]]

    @property
    def size(self) -> int:
        return sum(file.expected_bytes for files in self.files for file in files)


def _arrivals(config: Config, manifests: Manifests, day: date, before: list[_Night], *, is_first: bool) -> _Night:
    """What the night of `day` reads, but for what the nights `before`, which are not published yet, have read."""
    files = [arrived(config, manifests, source, day, look_back=is_first) for source in config.sources]
    taken = {(file.source, file.name) for night in before for of_source in night.files for file in of_source}
    for place, source in enumerate(config.sources):
        if source.path and "{day}" not in source.path:
            files[place] = [file for file in files[place] if (file.source, file.name) not in taken]
    return _Night(day, files)


def _land(config: Config, store: Lake, workers: Workers, nights: list[_Night]) -> Landed:
    read_at = datetime.now(UTC)
    redacted = workers.redacted.total()
    with store.staging() as staged:
        accounts = RecordCounts()
        tables = {name: Partitions(name, config.timezone, staged) for name in TABLES.values()}
        read = {
            (night.day, file.source, file.name) for night in nights for of_source in night.files for file in of_source
        }
        standing = KnownRejects(store, read, config.window_days)
        quarantine = {night.day: Quarantine(store, staged, night.day, standing) for night in nights}
        for night in nights:
            quarantine[night.day].keep([file for files in night.files for file in files])
        for mapped in workers.mapped(_batches(config, accounts, nights)):
            for name, partitions in tables.items():
                partitions.add(getattr(mapped, name))
            accounts.add_rows("other", mapped.other)
            accounts.add_rows("quarantined", mapped.refused)
            for day, refused in accounts.by_night(mapped.refused):
                accounts.add_rows(REFUSED_AGAIN, quarantine[day].add(refused, accounts.files))
        for name, partitions in tables.items():
            counts = partitions.finish(store, len(accounts.files))
            accounts.add(name, counts.kept)
            accounts.add("duplicates", counts.duplicates)
        rows = []
        for day, refused_of_night in quarantine.items():
            refused_of_night.close()
            rows += stage_manifest(store, staged, day, accounts, read_at)
    return Landed(
        files=len(rows),
        **{kind: sum(row[kind] for row in rows) for kind in ("records", *KINDS)},
        redacted=workers.redacted.total() - redacted,
        days=tuple(sorted({day for partitions in tables.values() for day in partitions.days})),
    )


def _batches(config: Config, accounts: RecordCounts, nights: list[_Night]) -> Iterator[tuple[Source, Batch]]:
    """The batches of every source; those of a source go from one night to the next."""
    for place, source in enumerate(config.sources):
        files = [(night.day, file) for night in nights for file in night.files[place]]
        first = accounts.open(files)
        for batch in read_files(fetched(file for _, file in files), first):
            yield source, batch

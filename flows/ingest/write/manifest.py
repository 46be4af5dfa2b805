"""The manifest: for each file that a night has read, the number of its records by result."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from flows.ingest.read import LogFile
from flows.ingest.write.quarantine import was_read
from flows.lake import Lake, Staging, from_rows

KINDS = ("interactions", "feedback", "duplicates", "other", "quarantined")
# Rejected records that another night already has in quarantine; the manifest counts them as duplicates.
REFUSED_AGAIN = "refused_again"


# Records that were landed without a value that cannot be read; each is one of the KINDS, too.
INCOMPLETE = "incomplete"

# A source and the name of a file.
_File = tuple[str, str]


@dataclass(frozen=True)
class ManifestRow:
    """One version of a file, as a night has read it: every record is in exactly one of the KINDS.

    `incomplete` are the records of it with a value that could not be read and is null, `modified_at` is when the file
    last changed: both None in rows of older versions, and the latter of what is no file.
    """

    source: str
    file: str
    sha256: str
    bytes: int
    interactions: int
    feedback: int
    duplicates: int
    other: int
    quarantined: int
    read_at: datetime
    content_sha256: str | None = None
    content_bytes: int | None = None
    head_sha256: str | None = None
    problem: str | None = None
    incomplete: int | None = None
    modified_at: datetime | None = None

    @property
    def records(self) -> int:
        """The sum of the KINDS."""
        return self.landed + self.duplicates + self.other + self.quarantined

    @property
    def landed(self) -> int:
        """The rows that the file added to the lake."""
        return self.interactions + self.feedback

    @property
    def of(self) -> _File:
        """Source and file."""
        return self.source, self.file

    @property
    def key(self) -> tuple[str, str, str]:
        """Source, file and hash: unique in a night."""
        return self.source, self.file, self.sha256


def merged(new: ManifestRow, earlier: Iterable[ManifestRow]) -> list[ManifestRow]:
    """The rows for a file that is read again: `new`, and the remaining ones of the night's `earlier` rows of it.

    Rows that an earlier version added to the lake are counted as duplicates now. If `new` contains that version, its
    counts move to `new`, so that the sum over all manifests equals the content of the lake. If not, the earlier version
    keeps its row, except for its quarantine, which `new` has replaced.
    """
    kept = []
    for old in sorted(earlier, key=lambda row: row.sha256 != new.sha256):  # the same version first
        is_same = old.sha256 == new.sha256
        if is_same:
            new = replace(new, read_at=old.read_at)
        if old.landed <= new.duplicates:
            new = replace(
                new,
                interactions=new.interactions + old.interactions,
                feedback=new.feedback + old.feedback,
                duplicates=new.duplicates - old.landed,
            )
        elif not is_same:
            kept.append(replace(old, quarantined=0))
    return [*kept, new]


@dataclass
class RecordCounts:
    """Counts by kind and file, while the files of the nights of a run (`all_nights`) are read.

    `nights` are those that read the files, in their order.
    """

    all_nights: frozenset[date]
    # Calls of earlier runs that are duplicates now, by source and file.
    taken_back: Counter[_File] = field(default_factory=Counter)
    files: list[LogFile] = field(default_factory=list)
    nights: list[date] = field(default_factory=list)
    counts: dict[str, np.ndarray] = field(
        default_factory=lambda: {kind: np.zeros(0, np.int64) for kind in (*KINDS, REFUSED_AGAIN, INCOMPLETE)}
    )

    def open(self, files: Sequence[tuple[date, LogFile]]) -> int:
        """Add files. Returns the number of the first of them."""
        first = len(self.files)
        self.nights += [night for night, _ in files]
        self.files += [file for _, file in files]
        self.counts = {kind: np.append(counts, np.zeros(len(files), np.int64)) for kind, counts in self.counts.items()}
        return first

    def add(self, kind: str, counts: np.ndarray, first: int = 0) -> None:
        """Add one count per file, for the files from the `first` on."""
        self.counts[kind][first : first + len(counts)] += counts

    def add_rows(self, kind: str, rows: pa.Table) -> None:
        """Add one for each row to the count of its file."""
        self.add(kind, np.bincount(rows.column("file").to_numpy(), minlength=1))

    def by_night(self, rows: pa.Table) -> Iterator[tuple[date, pa.Table]]:
        """The rows of each night that read them."""
        if not len(rows):
            return
        of = np.array(self.nights)[rows.column("file").to_numpy()]
        for night in sorted(set(of.tolist())):
            yield night, rows.filter(pa.array(of == night))

    def manifest(self, night: date, before: Sequence[ManifestRow], read_at: datetime) -> list[ManifestRow]:
        """The night's rows: those of the files that it reads in this run, merged with `before`, which it has.

        What could not be read is told anew by each run.
        """
        moved = {(file.source, file.name): file.moved_to for file in self.files if file.moved_to}
        earlier: dict[tuple[str, str], list[ManifestRow]] = defaultdict(list)
        for row in before:
            name = moved.get((row.source, row.file), row.file)
            if row.problem is None or row.records:
                earlier[row.source, name].append(replace(row, file=name))
        rows: list[ManifestRow] = []
        for number, file in enumerate(self.files):
            if self.nights[number] == night:
                new = self._row(number, read_at)
                kept: list[ManifestRow] = []
                if was_read(file):
                    *kept, new = merged(new, earlier.pop((file.source, file.name), ()))
                again = int(self.counts[REFUSED_AGAIN][number])
                new = replace(new, duplicates=new.duplicates + again, quarantined=new.quarantined - again)
                rows += [*kept, new]
        return sorted([*rows, *(row for several in earlier.values() for row in several)], key=lambda row: row.key)

    def _row(self, number: int, read_at: datetime) -> ManifestRow:
        file = self.files[number]
        counts = {kind: int(self.counts[kind][number]) for kind in KINDS}
        content = None if file.problem else file.content
        return ManifestRow(
            file.source,
            file.name,
            file.sha256,
            file.bytes,
            **counts,
            read_at=read_at,
            content_sha256=content.sha256 if content else None,
            content_bytes=content.bytes if content else None,
            head_sha256=content.head if content else None,
            problem=file.problem or None,
            incomplete=int(self.counts[INCOMPLETE][number]),
            modified_at=file.modified,
        )


def stage_manifest(
    store: Lake, staged: Staging, counts: RecordCounts, read_at: datetime, resolved: dict[date, Counter[_File]]
) -> list[ManifestRow]:
    """Stage the manifest of every night of the run. Returns the rows of the files that it read, or could not read.

    `resolved` are the records that have left the quarantine, by night. With them and with the calls that are taken
    back, the manifests of other nights change too.
    """
    read = {(file.source, file.name, file.sha256) for file in counts.files}
    found = []
    before = _without_calls(store, counts.taken_back)
    for night in sorted({*counts.all_nights, *resolved, *before}):
        rows = before.get(night) or _rows(store, night)
        rows = _without_rejects(rows, resolved.get(night, Counter()))
        if night in counts.all_nights:
            rows = counts.manifest(night, rows, read_at)
            found += [row for row in rows if row.key in read]
        table = from_rows(({**asdict(row), "records": row.records} for row in rows), "manifest")
        pq.write_table(table, staged.place("manifest", night), compression="zstd")
    return found


def _rows(store: Lake, night: date) -> list[ManifestRow]:
    return [ManifestRow(**row) for row in store.read("manifest", night).drop_columns(["records"]).to_pylist()]


def _without_calls(store: Lake, taken_back: Counter[_File]) -> dict[date, list[ManifestRow]]:
    """The manifests in which calls that are taken back are counted as duplicates, the latest nights first.

    Where the file has another name now, or is not counted any more, another file of the source stands for it.
    """
    left, found = Counter(taken_back), dict[date, list[ManifestRow]]()
    for is_exact in (True, False):
        for night in reversed(store.days("manifest") if left else []):
            rows = found.get(night) or _rows(store, night)
            for place, row in enumerate(rows):
                file = next((one for one in left if one == row.of or (one[0] == row.source and not is_exact)), None)
                fewer = min(left[file], row.interactions) if file else 0
                if file and fewer:
                    rows[place] = replace(row, interactions=row.interactions - fewer, duplicates=row.duplicates + fewer)
                    found[night] = rows
                    left -= Counter({file: fewer})
            if not left:
                break
    return found


def _without_rejects(rows: list[ManifestRow], resolved: Counter[_File]) -> list[ManifestRow]:
    """The rows, counting fewer records in quarantine."""
    left, found = Counter(resolved), []
    for row in rows:
        fewer = min(left[row.source, row.file], row.quarantined)
        left[row.source, row.file] -= fewer
        found.append(replace(row, quarantined=row.quarantined - fewer))
    return found

"""What became of every record of a night: the manifest, and the quarantine that goes with it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from flows.ingest.read import LogFile
from flows.lake import SCHEMAS, Lake, Staging, conform, from_rows

Row = dict[str, Any]
KINDS = ("interactions", "feedback", "duplicates", "other", "quarantined")
# Of those in quarantine what another night has there already; in the manifest they are duplicates.
REFUSED_AGAIN = "refused_again"


@dataclass
class RecordCounts:
    """Counts a file and kind, while a run's files are read. `nights` are those that read the files."""

    files: list[LogFile] = field(default_factory=list)
    nights: list[date] = field(default_factory=list)
    found: dict[str, np.ndarray] = field(
        default_factory=lambda: {kind: np.zeros(0, np.int64) for kind in (*KINDS, REFUSED_AGAIN)}
    )

    def open(self, files: Sequence[tuple[date, LogFile]]) -> int:
        """Take in more files, and give the number of the first of them."""
        first = len(self.files)
        self.nights += [night for night, _ in files]
        self.files += [file for _, file in files]
        self.found = {kind: np.append(counts, np.zeros(len(files), np.int64)) for kind, counts in self.found.items()}
        return first

    def add(self, kind: str, counts: np.ndarray) -> None:
        """Add one count a file, for the files from the first on."""
        self.found[kind][: len(counts)] += counts

    def add_rows(self, kind: str, rows: pa.Table) -> None:
        """Add one for each row, to the file that it is of."""
        self.add(kind, np.bincount(rows.column("file").to_numpy(), minlength=1))

    def by_night(self, rows: pa.Table) -> Iterator[tuple[date, pa.Table]]:
        """The rows of each night that read them."""
        if not len(rows):
            return
        of = np.array(self.nights)[rows.column("file").to_numpy()]
        for night in sorted(set(of.tolist())):
            yield night, rows.filter(pa.array(of == night))

    def manifest(self, night: date, before: Sequence[Row], read_at: datetime) -> list[Row]:
        """The night's rows: one for each file that it read in this run, and what stays of `before`, those it has.

        What a file has brought to the lake in an earlier run of the night now counts as a duplicate of it: it is added
        to what is new, so that the sum over all manifests is what the lake holds. A version of a file that the new one
        does not contain keeps its row, but for the quarantine, where the new one stands.
        """
        read = {(file.source, file.name) for file, of in zip(self.files, self.nights, strict=True) if of == night}
        rows = [row for row in before if (row["source"], row["file"]) not in read]
        versions: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in before:
            versions[row["source"], row["file"]].append(row)
        for place, file in enumerate(self.files):
            if self.nights[place] != night:
                continue
            counts = {kind: int(self.found[kind][place]) for kind in KINDS}
            facts = {"source": file.source, "file": file.name, "sha256": file.sha256, "bytes": file.bytes}
            row = {**facts, "records": sum(counts.values()), **counts, "read_at": read_at}
            for old in sorted(
                versions[file.source, file.name], key=lambda old: old["sha256"] != file.sha256
            ):  # this version first
                if old["sha256"] == file.sha256:
                    row["read_at"] = old["read_at"]
                if old["interactions"] + old["feedback"] <= row["duplicates"]:
                    for kind in ("interactions", "feedback"):
                        row[kind] += old[kind]
                        row["duplicates"] -= old[kind]
                elif old["sha256"] != file.sha256:
                    rows.append({**old, "records": old["records"] - old["quarantined"], "quarantined": 0})
            again = int(self.found[REFUSED_AGAIN][place])
            row["duplicates"] += again
            row["quarantined"] -= again
            rows.append(row)
        return sorted(rows, key=lambda row: (str(row["source"]), str(row["file"]), str(row["sha256"])))


def stage_manifest(store: Lake, staged: Staging, night: date, accounts: RecordCounts, read_at: datetime) -> list[Row]:
    """Stage the night's manifest, and give the rows of the files that this run read."""
    rows = accounts.manifest(night, store.read("manifest", night).to_pylist(), read_at)
    pq.write_table(from_rows(rows, "manifest"), staged.place("manifest", night), compression="zstd")
    read = {(file.source, file.name, file.sha256) for file in accounts.files}
    return [row for row in rows if (row["source"], row["file"], row["sha256"]) in read]


class KnownRejects:
    """What other nights have in quarantine of the files that a run reads, so that a file that is read again, or has
    grown, does not put its bad records there a second time. Looked up when the first record is refused.
    """

    def __init__(self, store: Lake, read: set[tuple[date, str, str]], window_days: int) -> None:
        """`read` are night, source and file of all that the run reads: what these nights had of it is replaced."""
        self._store, self._read, self._reach = store, read, timedelta(days=window_days + 1)

    def has(self, night: date, rows: pa.Table) -> np.ndarray:
        """Which rows (of quarantine) stand in another night; those that stand in none stand in this one from now on."""
        return np.array([self._nights.setdefault(_fingerprint(row), night) != night for row in rows.to_pylist()], bool)

    @cached_property
    def _nights(self) -> dict[bytes, date]:
        found: dict[bytes, date] = {}
        for night in self._store.days("quarantine"):
            if any(abs(night - reading) <= self._reach for reading, _, _ in self._read):
                for part in self._store.batches("quarantine", night):
                    found |= {_fingerprint(row): night for row in part.filter(self._is_read(night, part)).to_pylist()}
        return found

    def _is_read(self, night: date, rows: pa.Table) -> pa.Array:
        """Which rows are of a file that the run reads, but not for this night."""
        names = {(source, file) for _, source, file in self._read}
        given = zip(rows.column("source").to_pylist(), rows.column("file").to_pylist(), strict=True)
        return pa.array([name in names and (night, *name) not in self._read for name in given], pa.bool_())


def _fingerprint(row: Row) -> bytes:
    digest = blake2b(f"{row['source']}\0{row['file']}\0{row['line']}\0".encode(), digest_size=16)
    digest.update(row["raw"].encode())
    return digest.digest()


class Quarantine:
    """The night's refused records: those of earlier runs, but for the files that this one reads, then this run's."""

    def __init__(self, store: Lake, staged: Staging, day: date, standing: KnownRejects) -> None:
        self._store, self._day, self._standing = store, day, standing
        self._writer = pq.ParquetWriter(staged.place("quarantine", day), SCHEMAS["quarantine"], compression="zstd")

    def keep(self, files: Sequence[LogFile]) -> None:
        """Carry over what earlier runs of the night refused of files other than these."""
        read = {(file.source, file.name) for file in files}
        for part in self._store.batches("quarantine", self._day):
            names = zip(part.column("source").to_pylist(), part.column("file").to_pylist(), strict=True)
            self._write(part.filter(pa.array([name not in read for name in names], pa.bool_())))

    def add(self, refused: pa.Table, files: Sequence[LogFile]) -> pa.Table:
        """Add refused records (reader.REFUSED), of which `file` is a place in `files`, and give those that stand in
        another night already.
        """
        chosen = [files[place] for place in refused.column("file").to_pylist()]
        named = refused.set_column(0, "file", pa.array([file.name for file in chosen], pa.string()))
        source = pa.array([file.source for file in chosen], pa.string())
        rows = conform(named.append_column("source", source), "quarantine")
        stands = self._standing.has(self._day, rows)
        self._write(rows.filter(pa.array(~stands)))
        return refused.filter(pa.array(stands))

    def close(self) -> None:
        """End the staged file."""
        self._writer.close()

    def _write(self, rows: pa.Table) -> None:
        if len(rows):
            self._writer.write_table(rows)

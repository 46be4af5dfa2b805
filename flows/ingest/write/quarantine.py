"""A night's rejected records, complete, with file, line and reason; each once, even if its file is read again."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cached_property
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from flows.ingest.read import LogFile
from flows.lake import SCHEMAS, Lake, Staging, conform


class KnownRejects:
    """The records of a run's files that other nights already have in quarantine.

    A file that is read again, or has grown, must not add its bad records a second time. Looked up when the first
    record is rejected.
    """

    def __init__(self, store: Lake, read: set[tuple[date, str, str]], window_days: int) -> None:
        """`read` has night, source and file of all files of the run; the records of these nights are replaced."""
        self._store, self._read, self._reach = store, read, timedelta(days=window_days + 1)

    def has(self, night: date, rows: pa.Table) -> np.ndarray:
        """Which rows (of quarantine) another night has; rows that no night has are this night's from now on."""
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
        """Which rows belong to a file that the run reads, but not for this night."""
        names = {(source, file) for _, source, file in self._read}
        given = zip(rows.column("source").to_pylist(), rows.column("file").to_pylist(), strict=True)
        return pa.array([name in names and (night, *name) not in self._read for name in given], pa.bool_())


def _fingerprint(row: dict[str, Any]) -> bytes:
    digest = blake2b(f"{row['source']}\0{row['file']}\0{row['line']}\0".encode(), digest_size=16)
    digest.update(row["raw"].encode())
    return digest.digest()


class Quarantine:
    """The night's rejected records: those of earlier runs, except of the files that this run reads, then this run's."""

    def __init__(self, store: Lake, staged: Staging, day: date, known: KnownRejects) -> None:
        self._store, self._day, self._known = store, day, known
        self._writer = pq.ParquetWriter(staged.place("quarantine", day), SCHEMAS["quarantine"], compression="zstd")

    def keep(self, files: Sequence[LogFile]) -> None:
        """Copy the rejected records of earlier runs of the night, except those of these files."""
        read = {(file.source, file.name) for file in files}
        for part in self._store.batches("quarantine", self._day):
            names = zip(part.column("source").to_pylist(), part.column("file").to_pylist(), strict=True)
            self._write(part.filter(pa.array([name not in read for name in names], pa.bool_())))

    def add(self, refused: pa.Table, files: Sequence[LogFile]) -> pa.Table:
        """Add rejected records (REFUSED; `file` is an index of `files`). Returns those another night has already."""
        chosen = [files[place] for place in refused.column("file").to_pylist()]
        named = refused.set_column(0, "file", pa.array([file.name for file in chosen], pa.string()))
        source = pa.array([file.source for file in chosen], pa.string())
        rows = conform(named.append_column("source", source), "quarantine")
        is_known = self._known.has(self._day, rows)
        self._write(rows.filter(pa.array(~is_known)))
        return refused.filter(pa.array(is_known))

    def close(self) -> None:
        """Finish the staged file."""
        self._writer.close()

    def _write(self, rows: pa.Table) -> None:
        if len(rows):
            self._writer.write_table(rows)

"""Writes a run's rows to the partitions of their days: written as they arrive, duplicates dropped at the end.

Rows are written once, to the future file of the day. Only if rows must be dropped, or if the day already has rows, is
that file written again. Memory holds a few numbers per row, never its texts.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.ingest.map import KEYS, TIMES, key_of
from flows.ingest.read import LogFile
from flows.ingest.write.call_records import CallRecords, Dropped
from flows.ingest.write.day_files import Part, day_writer, stage_day
from flows.ingest.write.lanes import Lanes
from flows.lake import SCHEMAS, Lake, StagedFile, Staging, WorkerStaging

_FLUSHED_ROWS, _FLUSHED_BYTES, _BUFFERED_BYTES = 1 << 16, 16 << 20, 256 << 20
_LANE_OF_RECORDS = -1


@dataclass
class Counts:
    """For each file of the run, how many of its rows were kept, and how many were dropped as duplicates.

    `taken_back` are rows of earlier runs, by source and file, that are dropped because a row under another key stands
    for them.
    """

    kept: np.ndarray
    duplicates: np.ndarray
    taken_back: Counter[tuple[str, str]]


@dataclass
class _Day:
    """One day that is being written. The lists have arrays with one number per row, in the order of the staged file."""

    path: Path
    writer: pq.ParquetWriter
    waiting: list[pa.Table] = field(default_factory=list)
    keys: list[np.ndarray] = field(default_factory=list)
    times: list[np.ndarray] = field(default_factory=list)
    updated: list[np.ndarray] = field(default_factory=list)
    files: list[np.ndarray] = field(default_factory=list)
    # Files of workers; their rows come before those of the staged file.
    parts: list[StagedFile] = field(default_factory=list)

    def flush(self, lanes: Lanes, day: date) -> None:
        if self.waiting:
            lanes.submit(day.toordinal(), self.writer.write_table, pa.concat_tables(self.waiting))
            self.waiting = []


class Partitions:
    """The rows of one table (interactions or feedback) that a run reads, or a worker for it. `lanes` write them."""

    def __init__(
        self,
        table: str,
        timezone: str,
        staged: Staging | WorkerStaging,
        files: Sequence[LogFile] | Mapping[int, LogFile],
        lanes: Lanes,
    ) -> None:
        self._table, self._timezone, self._staged, self._lanes = table, timezone, staged, lanes
        self._days: dict[date, _Day] = {}
        self._records = CallRecords(staged, files) if table == "interactions" else None
        self._touched: set[date] = set()

    @property
    def days(self) -> list[date]:
        """The days with rows, and after `finish` also those from which a row was removed."""
        return sorted({*self._days, *self._touched})

    def add(self, rows: pa.Table) -> None:
        """Add mapped rows: the columns of PLACE and those of the lake's table."""
        for day, part in self._by_day(rows):
            making = self._making(day)
            if self._records is not None:
                self._lanes.submit(_LANE_OF_RECORDS, self._records.add, day, part)
            making.waiting.append(part.select(SCHEMAS[self._table].names))
            # Copies, because a column of a result keeps all of its columns in memory.
            making.keys.append(part.column("key").to_numpy().copy())
            making.times.append(_microseconds(part.column(TIMES[self._table])).copy())
            making.updated.append(_microseconds(part.column("updated_at")).copy())
            making.files.append(part.column("file").to_numpy().copy())
            if _size(making.waiting) > _FLUSHED_BYTES or sum(map(len, making.waiting)) > _FLUSHED_ROWS:
                making.flush(self._lanes, day)
        if sum(_size(making.waiting) for making in self._days.values()) > _BUFFERED_BYTES:
            for day, making in self._days.items():
                making.flush(self._lanes, day)

    def _making(self, day: date) -> _Day:
        if day not in self._days:
            path = self._staged.scratch(f"arrived-{self._table}-{day}")
            self._days[day] = _Day(path, day_writer(path, self._table))
        return self._days[day]

    def _close_files(self) -> None:
        for day, making in self._days.items():
            making.flush(self._lanes, day)
        self._lanes.finish()
        for making in self._days.values():
            making.writer.close()

    def hand_in(self, staged: WorkerStaging) -> list[Part]:
        """All rows as a part for each day, for the process that publishes to `take`."""
        self._close_files()
        records = self._records.hand_in(staged) if self._records is not None else {}
        found = []
        for day, making in self._days.items():
            found.append(
                Part(
                    day,
                    staged.hand_in(making.path),
                    keys=np.concatenate(making.keys),
                    times=np.concatenate(making.times),
                    updated=np.concatenate(making.updated),
                    files=np.concatenate(making.files),
                    records=records.get(day),
                )
            )
        return found

    def take(self, part: Part) -> None:
        """Add a part's rows, without reading them. Parts come in the order of their rows, and before `add`."""
        making = self._making(part.day)
        making.parts.append(part.file)
        making.keys.append(part.keys)
        making.times.append(part.times)
        making.updated.append(part.updated)
        making.files.append(part.files)
        if self._records is not None and part.records is not None:
            self._records.take(part.day, part.records)

    def finish(self, store: Lake, files: int) -> Counts:
        """Drop duplicates within the run and of rows in the lake, and stage the new file of each day.

        Of rows with the same key the newest stays: the latest by its time, then by its updated_at, then the one
        read last. A row that is already in the lake counts as a duplicate of the run. It is looked up on the same day
        and on the adjacent days: a corrected clock or another time zone does not move a call further. Of several
        records of one call under different ids one stays; see call_records.py.
        """
        self._close_files()
        days = sorted({day + timedelta(days=n) for day in self._days for n in (-1, 0, 1)})
        dropped = self._records.finish(store, days) if self._records is not None else Dropped()
        existing = [(day, _existing_rows(store, self._table, day), self._days.get(day)) for day in days]
        losers, known = _losers(existing, dropped)
        kept = np.zeros(files, np.int64)
        duplicates = np.zeros(files, np.int64)
        for day, (old_lost, new_lost), new_known in zip(days, losers, known, strict=True):
            if day in self._days:
                of_file = np.concatenate(self._days[day].files)
                is_duplicate = new_lost | new_known
                kept += np.bincount(of_file[~is_duplicate], minlength=files)
                duplicates += np.bincount(of_file[is_duplicate], minlength=files)
            if day in self._days or old_lost.any():
                self._merge_day(store, day, old_lost, new_lost)
        return Counts(kept, duplicates, _taken_back(existing, dropped))

    def _merge_day(self, store: Lake, day: date, old_lost: np.ndarray, new_lost: np.ndarray) -> None:
        """Stage the day's files from the remaining old rows and the new ones, if there are any."""
        making = self._days.get(day)
        self._touched.add(day)
        stage_day(
            self._publishing(), store, self._table, day,
            parts=making.parts if making else (), own=making.path if making else None,
            old_lost=old_lost, new_lost=new_lost,
        )  # fmt: skip
        if making:
            making.path.unlink(missing_ok=True)

    def _publishing(self) -> Staging:
        if not isinstance(self._staged, Staging):
            raise TypeError("a worker hands in its parts, and does not publish")
        return self._staged

    def _by_day(self, rows: pa.Table) -> Iterator[tuple[date, pa.Table]]:
        if not len(rows):
            return
        times = rows.column(TIMES[self._table])
        edges = pc.min_max(times)
        first, last = (_local_days(pa.array([edges[name].as_py()], times.type), self._timezone)[0] for name in edges)
        if first == last:
            yield first.as_py(), rows
            return
        days = _local_days(times, self._timezone)
        for day in sorted(pc.unique(days).to_pylist()):
            yield day, rows.filter(pc.equal(days, pa.scalar(day)))


def _existing_rows(store: Lake, table: str, day: date) -> tuple[np.ndarray, np.ndarray]:
    """The keys and times of the existing rows of a day, in their order."""
    names = [*KEYS[table], *({TIMES[table]} - set(KEYS[table]))]
    rows = store.read(table, day, columns=names)
    if not len(rows):
        return np.empty(0, np.uint64), np.empty(0, np.int64)
    with duckdb.connect() as connection:
        store.limits.apply_to(connection)
        connection.register("rows", rows)
        keys = connection.sql(f"select {key_of(table)} as key from rows").to_arrow_table().column("key").to_numpy()
    return keys, _microseconds(rows.column(TIMES[table]))


def _losers(
    days: list[tuple[date, tuple[np.ndarray, np.ndarray], _Day | None]], dropped: Dropped
) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[np.ndarray]]:
    """For each day, which old and which new rows are dropped, and which new rows count for an old one.

    Rows with the same key are one call if each is at most a day after the one before it; if one of them is new, all but
    the newest are dropped. `dropped` are those for which a row with another key stands.
    """
    columns: list[tuple[np.ndarray, ...]] = []
    for day, (old_keys, old_times), making in days:
        new_rows = (making.keys, making.times, making.updated) if making else ([], [], [])
        new_keys, new_times, new_updated = (_joined(parts) for parts in new_rows)
        for keys, times, updated, is_new in (
            (old_keys, old_times, np.full(len(old_keys), _NEVER), False),
            (new_keys.astype(np.uint64, copy=False), new_times, new_updated, True),
        ):
            columns.append((keys, times, updated, np.full(len(keys), is_new), np.full(len(keys), day.toordinal())))
    sizes = [len(part[0]) for part in columns]
    every = np.concatenate([part[0] for part in columns]) if columns else np.empty(0, np.uint64)
    lost, known = np.zeros(len(every), bool), np.zeros(len(every), bool)
    beaten = np.zeros(len(every), bool)
    if dropped.files:
        beaten = dropped.which(every, np.concatenate([part[1] for part in columns]))
    ordered = np.sort(every)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if len(repeated):
        places = np.flatnonzero(np.isin(every, repeated))
        key, time, version, arrived, ordinal = (np.concatenate(part)[places] for part in zip(*columns, strict=True))
        order = np.lexsort((places, arrived, version, time, ~beaten[places], key))
        key, arrived, ordinal, places = key[order], arrived[order], ordinal[order], places[order]
        begins = np.append(True, (key[1:] != key[:-1]) | (np.abs(np.diff(ordinal)) > 1))
        firsts, group = np.flatnonzero(begins), np.cumsum(begins) - 1
        is_last = np.append(begins[1:], True)
        lost[places] = ~is_last & np.logical_or.reduceat(arrived, firsts)[group]
        known[places] = arrived & np.logical_or.reduceat(~arrived, firsts)[group]
    lost |= beaten
    ends = np.cumsum(sizes)
    parts = list(zip(ends - sizes, ends, strict=True))
    pairs = list(zip(parts[0::2], parts[1::2], strict=True))
    return [(lost[slice(*old)], lost[slice(*new)]) for old, new in pairs], [known[slice(*new)] for _, new in pairs]


def _taken_back(
    days: list[tuple[date, tuple[np.ndarray, np.ndarray], _Day | None]], dropped: Dropped
) -> Counter[tuple[str, str]]:
    """The dropped rows of the lake of which no version arrived, by source and file."""
    found: Counter[tuple[str, str]] = Counter()
    if dropped.files:
        arrived = {key for _, _, making in days if making for part in making.keys for key in part.tolist()}
        for _, (keys, times), _ in days:
            for place in np.flatnonzero(dropped.which(keys, times)).tolist():
                if (key := int(keys[place])) not in arrived:
                    found[dropped.files[key, int(times[place])]] += 1
    return found


_NEVER = np.iinfo(np.int64).min


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _microseconds(times: pa.ChunkedArray) -> np.ndarray:
    """Microseconds since 1970, null as the earliest."""
    whole = times.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
    numbers: np.ndarray = pc.fill_null(whole, int(_NEVER)).to_numpy()
    return numbers


def _local_days(times: pa.Array | pa.ChunkedArray, zone: str) -> pa.Array | pa.ChunkedArray:
    """The date of each time on the clock of `zone`."""
    return pc.local_timestamp(times.cast(pa.timestamp("us", tz=zone))).cast(pa.date32())


def _size(tables: list[pa.Table]) -> int:
    return sum(table.nbytes for table in tables)

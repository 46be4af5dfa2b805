"""Which records tell of one call, though each has an id of its own: all but one of them are dropped as duplicates.

A format's SELECT names what such records share (`one_call`). They may come in any order, in files and nights of their
own, so what tells them apart is kept in the lake for each of them, dropped ones too: the rule is applied to all records
that were ever read, two by two, and one that was dropped once stays dropped.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.ingest.read import LogFile
from flows.ingest.write.day_files import RecordsPart
from flows.lake import SCHEMAS, Lake, StagedFile, Staging, WorkerStaging, batches_of

TABLE = "call_records"
# An id under which there are more records than this is no id of one call.
_MOST = 1000
# Two records of which `first` is a reason to drop `second`. Of two types of a gateway's log the chat completion stays,
# else the first by name; records of one type are calls of their own (a request that was tried again). Of two spans, one
# within the other, the inner one stays, but where the outer one alone has the texts; spans side by side are two calls,
# for some providers repeat the ids of their responses.
_DROPPED = """
with records as (
    select
        *,
        epoch_us(started_at) as begins,
        epoch_us(started_at) + round(latency_ms * 1000) as ends,
        (not regexp_full_match(logged_as, '_?a?(text_)?completion'), logged_as) as rank
    from given
    qualify count(*) over (partition by one_call) <= {most}
)

select
    hash(second.call_id) as key,
    second.begins as at,
    arg_min(second.source, second.place) as source,
    arg_min(second.file, second.place) as file
from records as first
inner join records as second on first.one_call = second.one_call and first.call_id <> second.call_id
where
    case
        when first.logged_as is not null and second.logged_as is not null then first.rank < second.rank
        when first.begins >= second.begins and first.ends <= second.ends and {inner_first}
            then first.has_text or not second.has_text
        when second.begins >= first.begins and second.ends <= first.ends and {inner_second}
            then first.has_text and not second.has_text
        else false
    end
group by all
order by all
"""
_INNER = (
    "({inner}.parent_id = {outer}.call_id or {inner}.parent_id is distinct from {outer}.parent_id"
    " and {outer}.ends - {outer}.begins > {inner}.ends - {inner}.begins)"
)
# What makes two records the same, wherever they stand.
_FACTS = "call_id, one_call, logged_as, parent_id, started_at, latency_ms, has_text"
_NUMBERS = f"hash(one_call) as shared, hash(call_id) as key, hash({_FACTS}) as fact"

_NONE = np.empty((0, 3), np.uint64)


@dataclass(frozen=True)
class Dropped:
    """Rows that are dropped, for another record stands for them: source and file of each, by its key and its time.

    Times are microseconds since 1970.
    """

    files: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)

    def which(self, keys: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Which rows, given by key and time, are dropped."""
        found: np.ndarray = np.isin(keys, np.array([key for key, _ in self.files], np.uint64))
        for place in np.flatnonzero(found).tolist():
            found[place] = (int(keys[place]), int(times[place])) in self.files
        return found


@dataclass
class _Day:
    """The new records of a day, and three numbers for each: hashes of what is shared, of the call and of the whole."""

    path: Path
    writer: pq.ParquetWriter
    numbers: list[np.ndarray] = field(default_factory=list)
    # Files of workers; their records come before those of `path`.
    parts: list[StagedFile] = field(default_factory=list)


class CallRecords:
    """The records of a run, or of a worker for it, that share an id with others."""

    def __init__(self, staged: Staging | WorkerStaging, files: Sequence[LogFile] | Mapping[int, LogFile]) -> None:
        """`files` are those of the run, by their numbers."""
        self._staged, self._files = staged, files
        self._days: dict[date, _Day] = {}

    def add(self, day: date, rows: pa.Table) -> None:
        """Add the rows of a day that share anything: mapped calls with `one_call`, `logged_as` and `parent_id`."""
        rows = rows.filter(pc.is_valid(rows.column("one_call")))
        if not len(rows):
            return
        numbers, places = np.unique(rows.column("file").to_numpy(), return_inverse=True)
        files = [self._files[number] for number in numbers.tolist()]
        named = rows.drop_columns(["source", "file"])
        for name, values in (("source", [file.source for file in files]), ("file", [file.name for file in files])):
            named = named.append_column(name, pa.array(values, pa.string()).take(pa.array(places)))
        texts = [pc.is_valid(rows.column(name)) for name in ("input_text", "output_text", "output_json")]
        rows = named.append_column("has_text", pc.or_(pc.or_(texts[0], texts[1]), texts[2])).select(
            SCHEMAS[TABLE].names
        )
        making = self._making(day)
        making.writer.write_table(rows.cast(SCHEMAS[TABLE]))
        making.numbers.append(self._numbers(rows))

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect()

    def _close(self) -> None:
        if (connection := self.__dict__.pop("_connection", None)) is not None:
            connection.close()

    def _making(self, day: date) -> _Day:
        if day not in self._days:
            path = self._staged.scratch(f"arrived-{TABLE}-{day}")
            self._days[day] = _Day(path, pq.ParquetWriter(path, SCHEMAS[TABLE], compression="zstd"))
        return self._days[day]

    def hand_in(self, staged: WorkerStaging) -> dict[date, RecordsPart]:
        """All records as a part for each day, for the process that publishes to `take`."""
        self._close()
        found = {}
        for day, making in self._days.items():
            making.writer.close()
            found[day] = RecordsPart(staged.hand_in(making.path), np.concatenate(making.numbers))
        return found

    def take(self, day: date, part: RecordsPart) -> None:
        """Add a part's records, without reading them. Parts come in the order of their records, and before `add`."""
        making = self._making(day)
        making.parts.append(part.file)
        making.numbers.append(part.numbers)

    def finish(self, store: Lake, days: list[date]) -> Dropped:
        """Stage the records of each day, and find the rows to drop, of this run and of those that `days` have."""
        if not self._days:
            return Dropped()
        store.limits.apply_to(self._connection)
        new = []
        for making in self._days.values():
            making.writer.close()
            new.append(np.concatenate(making.numbers))
        stored = {day: [self._numbers(rows) for rows in store.batches(TABLE, day)] for day in days}
        shared = _repeated(np.concatenate([*new, *(part for parts in stored.values() for part in parts)]))
        found = self._related(store, days, shared) if len(shared) else None
        for numbers, (day, making) in zip(new, self._days.items(), strict=True):
            old = np.concatenate([_NONE, *stored[day]])
            self._stage(store, day, making, old[:, 2], numbers[:, 2])
        self._close()
        rows = found.to_pylist() if found is not None else []
        return Dropped({(row["key"], row["at"]): (row["source"], row["file"]) for row in rows})

    def _related(self, store: Lake, days: list[date], shared: np.ndarray) -> pa.Table:
        """The rows to drop among the records with these shared ids."""
        parts = [SCHEMAS[TABLE].empty_table()]
        connection = self._connection
        connection.register("shared", pa.table({"shared": shared}))
        for rows in self._all(store, days):
            connection.register("rows", rows)
            few = "select * from rows where hash(one_call) in (select shared from shared)"
            parts.append(connection.sql(few).to_arrow_table().cast(SCHEMAS[TABLE]))
            connection.unregister("rows")
        connection.register("every", pa.concat_tables(parts))
        connection.execute("create temp view given as select *, row_number() over () as place from every")
        sql = _DROPPED.format(
            most=_MOST,
            inner_first=_INNER.format(inner="first", outer="second"),
            inner_second=_INNER.format(inner="second", outer="first"),
        )
        return connection.sql(sql).to_arrow_table()

    def _numbers(self, rows: pa.Table) -> np.ndarray:
        """The numbers of records, a row each; see _Day."""
        self._connection.register("rows", rows)
        found = self._connection.sql(f"select {_NUMBERS} from rows").to_arrow_table()
        self._connection.unregister("rows")
        return np.stack([found.column(name).to_numpy() for name in ("shared", "key", "fact")], axis=1)

    def _all(self, store: Lake, days: list[date]) -> Iterator[pa.Table]:
        for day in days:
            yield from store.batches(TABLE, day)
        for making in self._days.values():
            yield from self._arrived(making)

    def _arrived(self, making: _Day) -> Iterator[pa.Table]:
        for part in making.parts:
            yield from self._publishing().batches(part)
        yield from batches_of(making.path)

    def _publishing(self) -> Staging:
        if not isinstance(self._staged, Staging):
            raise TypeError("a worker hands in its parts, and does not publish")
        return self._staged

    def _stage(self, store: Lake, day: date, making: _Day, old: np.ndarray, new: np.ndarray) -> None:
        """Write the day's file anew if there are records that it does not have."""
        first = np.zeros(len(new), bool)
        first[np.unique(new, return_index=True)[1]] = True
        wanted = first & ~np.isin(new, old)
        if wanted.all() and not len(old) and not making.parts:
            making.path.rename(self._publishing().place(TABLE, day))
            return
        if wanted.any():
            place = self._publishing().place(TABLE, day)
            with pq.ParquetWriter(place, SCHEMAS[TABLE], compression="zstd") as writer:
                for rows in store.batches(TABLE, day):
                    writer.write_table(rows)
                done = 0
                for rows in self._arrived(making):
                    writer.write_table(rows.filter(pa.array(wanted[done : done + len(rows)])))
                    done += len(rows)
        making.path.unlink()


def _repeated(numbers: np.ndarray) -> np.ndarray:
    """The hashes of what several calls share."""
    ordered = np.sort(numbers[:, 0])
    several = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])  # of one call or of several
    pairs = np.unique(numbers[np.isin(numbers[:, 0], several), :2], axis=0)[:, 0]
    return np.unique(pairs[1:][pairs[1:] == pairs[:-1]])

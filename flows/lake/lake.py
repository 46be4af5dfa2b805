"""The lake: Parquet files by table and day. The only code that knows its paths.

A partition is `<lake>/<table>/day=YYYY-MM-DD/<file>.parquet`, the lake being a directory or an address. A file
is written elsewhere and then renamed or uploaded, so that a reader sees the old content or the new one, never a part.
`staging` is for files that must appear together.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import RunError
from flows.lake import lock, locking, migration, transaction
from flows.lake.backends import Backend
from flows.lake.cloud_backend import open_backend
from flows.lake.days import LATE_DAYS, day_of, each_day, nightly_run_id
from flows.lake.inventory import Entry, Fault, Inventory
from flows.lake.lock import PATIENCE
from flows.lake.notes import Note
from flows.lake.parquet_files import CorruptError, Hashed, RowGroups, batches_of, naming, read_rows, repeating
from flows.lake.query_limits import QueryLimits
from flows.lake.schemas import SCHEMAS, UNWRAPPED, conform, from_rows
from flows.lake.store_addresses import Storage
from flows.lake.transaction import Staging

__all__ = [
    "LATE_DAYS",
    "SCHEMAS",
    "UNWRAPPED",
    "Lake",
    "Note",
    "Staging",
    "batches_of",
    "conform",
    "each_day",
    "from_rows",
    "nightly_run_id",
]


@dataclass(frozen=True)
class Lake:
    """The lake under one directory or address of a store; `config.open_lake()` is a workspace's.

    `state` is the local folder for everything that is not a table: the lake itself if it is a directory. `limits` are
    those of queries. Methods raise RunError if an object store cannot be reached.
    """

    root: Path | str
    storage: Storage = field(default_factory=Storage)
    state: Path | None = None
    limits: QueryLimits = field(default_factory=QueryLimits)

    @cached_property
    def backend(self) -> Backend:
        """Where the lake is stored."""
        return open_backend(self.root, self.storage)

    def partition(self, table: str, day: date, file: str = "data") -> Path | str:
        """The path or address of one file. `table` must be one of SCHEMAS."""
        return self.backend.place(_name(table, day, file))

    def exists(self, table: str, day: date, file: str = "data") -> bool:
        """Whether this file exists."""
        return self.backend.exists(_name(table, day, file))

    def files(self, table: str, day: date) -> list[Path | str]:
        """The files of one day of a table, by name; empty if there are none."""
        return [self.backend.place(name) for name in self.backend.names(_name(table, day, "*"))]

    def names(self, table: str, day: date) -> list[str]:
        """The names of those files, without their suffix."""
        return [PurePosixPath(name).stem for name in self.backend.names(_name(table, day, "*"))]

    def days(self, table: str) -> list[date]:
        """The days for which a table has a file, oldest first; the empty files of a new lake do not count."""
        found = {name.split("/")[1].removeprefix("day=") for name in self.backend.names(f"{table}/day=*/*.parquet")}
        return sorted(
            day for day in (day_of(one, self.backend.place(f"{table}/day={one}")) for one in found) if day != _NO_DAY
        )

    def read(self, table: str, day: date, file: str | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """One day of a table (or one file of it) in the table's schema; no rows where there is no file.

        `columns` are the columns to read, in this order; None means all.
        """
        names = [_name(table, day, file)] if file else self.backend.names(_name(table, day, "*"))
        wanted = SCHEMAS[table].names if columns is None else list(columns)
        schema = pa.schema([SCHEMAS[table].field(name) for name in wanted])
        parts = [
            read_rows(source, self.backend.place(name), table, columns)
            for name in names
            if (source := self.backend.source(name)) is not None
        ]
        return pa.concat_tables(part.select(wanted) for part in parts) if parts else schema.empty_table()

    def batches(
        self, table: str, day: date, columns: Sequence[str] | None = None, file: str = "*"
    ) -> Iterator[pa.Table]:
        """One day of a table (or one file of it) in the table's schema, in batches of thousands of rows; see `read`."""
        for name in self.backend.names(_name(table, day, file)):
            if (source := self.backend.source(name)) is not None:
                for rows in batches_of(source, columns, self.backend.place(name)):
                    whole = conform(rows, table)
                    yield whole if columns is None else whole.select(list(columns))

    def write(self, table: str, day: date, rows: pa.Table, file: str = "data") -> Path | str:
        """Replace one file by `rows`, atomically."""
        with self._replacing(name := _name(table, day, file)) as new:
            pq.write_table(conform(rows, table), new, compression="zstd", use_dictionary=repeating(table))
            new.rows = len(rows)
        return self.backend.place(name)

    @contextmanager
    def writing(self, table: str, day: date, file: str = "data") -> Iterator[Callable[[pa.Table], None]]:
        """A writer of rows to a new file, which replaces the old one if the block succeeds.

        For more rows than memory should hold.
        """
        with self._replacing(_name(table, day, file)) as new:
            with pq.ParquetWriter(new, SCHEMAS[table], compression="zstd") as writer:
                groups = RowGroups(writer)
                yield lambda rows: groups.add(conform(rows, table))
                groups.write()
            new.rows = groups.rows

    @contextmanager
    def _replacing(self, name: str) -> Iterator[Hashed]:
        """A file to write to, which replaces the old one if the block succeeds. Only then the lake is locked."""
        lock.check(self.backend)
        with ExitStack() as held:

            def take_turn() -> None:
                held.enter_context(self._locked())
                self._inventory.expect([name])

            with self.backend.replacing(name, take_turn) as place:
                new = Hashed(place)
                yield new
            self._inventory.record(name, Entry(new.bytes, new.rows, new.sha256))

    def remove(self, table: str, day: date, file: str = "data") -> None:
        """Delete one file; does nothing if it does not exist."""
        name = _name(table, day, file)
        with self._locked():
            self._inventory.expect([name])
            self.backend.remove(name)
            self._inventory.record(name, None)

    def create(self) -> None:
        """Give every table a first, empty file, so that a query finds all columns: of a new lake, and of an older one.

        A column that was added after the lake was created is then null in its older files.
        """
        lacking = [
            name for name, schema in SCHEMAS.items() if not self._has_columns(_name(name, _NO_DAY, "empty"), schema)
        ]
        if lacking:
            with self._locked():
                for table in lacking:
                    self.write(table, _NO_DAY, SCHEMAS[table].empty_table(), "empty")

    def _has_columns(self, name: str, schema: pa.Schema) -> bool:
        source = self.backend.source(name)
        try:
            with naming(name):
                return source is not None and bool(pq.read_schema(source).equals(schema))
        except CorruptError:  # it can be made again
            return False

    @contextmanager
    def run(self, verb: str, patience: float = PATIENCE) -> Iterator[None]:
        """Be the only run on this lake until the block ends; reentrant within one process.

        People's verbs, which take `lock` alone, go on meanwhile: whatever a run writes takes that lock by itself, for
        the moment in which files are replaced. What the run reads and then writes, and they write too, is between
        `lock`. Waits for another run at most `patience` seconds, and reports which one. Then finishes or clears what a
        killed run had begun, and migrates an older lake. Raises LockedError if the other run takes longer, and RunError
        for a lake of a later version.
        """
        with locking.running(self.backend, verb, patience):
            yield

    @contextmanager
    def lock(self, verb: str, patience: float = PATIENCE) -> Iterator[None]:
        """Let no other process replace files until the block ends, also not a run; reentrant within one process.

        For what is read and then written. Finishes first what a killed process had begun to publish. A run may take it,
        and who holds it cannot become a run. Waits and raises as `run` does.
        """
        with locking.replacing_files(self.backend, verb, patience):
            yield

    @contextmanager
    def lock_whole(self, verb: str, patience: float = PATIENCE) -> Iterator[None]:
        """`run` and `lock`: nobody else writes anything."""
        with self.run(verb, patience), self.lock(verb, patience):
            yield

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self.lock("another run"):
            lock.check(self.backend)  # raises if a lock was lost
            yield

    @contextmanager
    def staging(self) -> Iterator[Staging]:
        """Files that are published together if the block succeeds, and not at all if it raises.

        Raises RuntimeError where this process is no run and does not hold the lock.
        """
        with transaction.staging(self.backend, _name, self._locked) as staged:
            yield staged

    def faults(self, *, is_deep: bool = False, night: date | None = None) -> list[Fault]:
        """The files that are gone or are not as they were published; see `Inventory.compare`."""
        with self._locked() if night else nullcontext():
            return self._inventory.compare(is_deep=is_deep, night=night)

    @property
    def _inventory(self) -> Inventory:
        return Inventory(self.backend)

    @property
    def version(self) -> int:
        """The version of the lake's tables; a run migrates an older lake."""
        return migration.version_of(self.backend)

    def recover(self) -> None:
        """Finish or clear what a killed process had begun to publish. The caller must hold the lock."""
        locking.recover(self.backend)

    def open_to(self, connection: Any) -> None:
        """Make the lake's files readable by a DuckDB connection, by their path or address, and limit what it takes."""
        self.limits.apply_to(connection)
        self.backend.open_to(connection)

    def user_key_secret(self) -> bytes:
        """A random secret that is stored with the lake, used if none is configured. Created at first use."""
        note = Note(self.backend, "_reference/user_key_secret", is_private=True)
        if (known := note.read()) is None:
            with self._locked():  # two that make one at once would have two keys for each user
                if (known := note.read()) is None:
                    note.write(known := secrets.token_hex(32))
        if not known.strip():
            raise RunError(
                f"{self.backend.place(note.name)}: is empty; restore it from a backup, or delete it: all user keys"
                " will then change"
            )
        return known.encode()

    def journal(self, run_id: str) -> Path:
        """The journal of a run's answers until they are landed. A local file, because it is appended to."""
        return self._state / "_journal" / f"{run_id}.jsonl"

    def alerts_sent(self, what: date | str) -> Note:
        """The record of which digest of a day was sent to which channel, or another record of alerts by its name."""
        return Note(self.backend, f"_alerts/{what}.json")

    def words(self, version: str) -> Path:
        """The dictionary that typos are counted with. A local file, which can be created again."""
        return self._state / "_reference" / f"words-{version}.parquet"

    @property
    def _state(self) -> Path:
        folder = self.root if isinstance(self.root, Path) else self.state
        if folder is None:
            raise ValueError(f"{self.root}: name the folder of this machine that goes with it")
        return folder


_NO_DAY = date(1970, 1, 1)


def _name(table: str, day: date, file: str) -> str:
    if table not in SCHEMAS:
        raise KeyError(f"the lake has no table {table!r}")
    return f"{table}/day={day.isoformat()}/{file}.parquet"

"""Single Parquet files: reading them, writing them in row groups of one size, and what is said of a corrupt one."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import RunError
from flows.lake.atomic import replacing
from flows.lake.schemas import SCHEMAS, conform

ROWS_AT_ONCE = 1 << 14
_PARTITION = re.compile(r"([a-z_]+)/day=(\d{4}-\d\d-\d\d)/([^/]+)\.parquet$")
_OF_INGEST = ("interactions", "feedback", "quarantine", "manifest", "embeddings")


class CorruptError(RunError):
    """A file cannot be read as what it should be; the message names it, and how to mend it."""


def mend_of(place: Path | str) -> str:
    """How to get the file of a partition again, in words."""
    found = _PARTITION.search(str(place))
    if not found:
        return "restore it from a backup, or delete it"
    table, day, file = found.groups()
    if table in _OF_INGEST or table.startswith("topic") or file.startswith("production-"):
        verb = "ingest"
    elif table in ("expectation_results", "examples"):
        verb = "nightly"
    else:
        verb = "evaluate"
    return f"restore it from a backup, or delete it and run `genchi {verb} --day {day}`"


@contextmanager
def naming(place: Path | str) -> Iterator[None]:
    """Errors of the block as a CorruptError that names the file, or as a RunError if the disk refuses to read it."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise RunError(f"{place}: {error.strerror} while reading; check its permissions and the disk") from None
        first = str(error).strip().splitlines()[0][:160] if str(error).strip() else type(error).__name__
        raise CorruptError(f"{place}: not a readable Parquet file ({first}); {mend_of(place)}") from None


def read_rows(source: Path | IO[bytes], place: Path | str, table: str, columns: Sequence[str] | None) -> pa.Table:
    """One file in the table's schema. Columns that were added after the file was written are null."""
    with naming(place), pq.ParquetFile(source) as file:
        wanted = None if columns is None else [name for name in columns if name in file.schema_arrow.names]
        return conform(file.read(wanted), table)


def batches_of(
    source: Path | IO[bytes],
    columns: Sequence[str] | None = None,
    place: Path | str | None = None,
    groups: Sequence[int] | None = None,
) -> Iterator[pa.Table]:
    """The rows of one Parquet file in batches of some thousand; only those of `columns` that it has.

    `place` is the file's name in errors, if `source` is not its path. `groups` are the row groups to read.
    """
    where = place or (source if isinstance(source, Path) else "a file")
    with naming(where):
        file = pq.ParquetFile(source)
    with file:
        wanted = None if columns is None else [name for name in file.schema_arrow.names if name in columns]
        batches = file.iter_batches(ROWS_AT_ONCE, columns=wanted, row_groups=groups)
        while True:
            with naming(where):
                batch = next(batches, None)
            if batch is None:
                return
            yield pa.Table.from_batches([batch])


def replace_parquet(place: Path, rows: pa.Table) -> None:
    """Write `rows` to the file, atomically."""
    with replacing(place) as file:
        pq.write_table(rows, file, compression="zstd")


class Hashed:
    """A file to write to from its start, and the number and SHA-256 of its bytes; `rows` are set by who writes it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash, self.bytes, self.rows, self.closed = file, hashlib.sha256(), 0, 0, False

    def write(self, content: Any) -> int:
        """Write all of the content."""
        view = memoryview(content)
        written = self._file.write(view)
        if written != view.nbytes:
            raise OSError(f"only {written} of {view.nbytes} bytes were written")
        self._hash.update(view)
        self.bytes += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        """The number of bytes written."""
        return self.bytes

    def flush(self) -> None:
        """Pass on what is buffered."""
        self._file.flush()

    def close(self) -> None:
        """Does nothing: the file is closed by who opened it."""

    @property
    def sha256(self) -> str:
        """The hash of all that was written, in hex."""
        return self._hash.hexdigest()


class RowGroups:
    """Writes rows to a Parquet file in row groups of one size: the same rows give the same file."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer
        self._held: list[pa.Table] = []
        self.rows = 0

    def add(self, rows: pa.Table) -> None:
        """Add rows, and write all complete groups."""
        self.rows += len(rows)
        self._held.append(rows)
        count = sum(map(len, self._held))
        if whole := count - count % ROWS_AT_ONCE:
            self.write(whole)

    def write(self, count: int | None = None) -> None:
        """Write the first `count` rows that are held, or all."""
        held = pa.concat_tables(self._held) if self._held else None
        if held is not None and len(held):
            self._writer.write_table(held.slice(0, count).combine_chunks(), row_group_size=ROWS_AT_ONCE)
            self._held = [] if count is None else [held.slice(count)]


def repeating(table: str) -> list[str]:
    """The columns that Parquet looks for repeated values in: all but vectors, whose numbers do not repeat."""
    return [
        f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name
        for field in SCHEMAS[table]
        if not (pa.types.is_list(field.type) and pa.types.is_floating(field.type.value_type))
    ]

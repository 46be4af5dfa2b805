"""Parts of a day's files that several processes read at once: together the batches that one process reads, in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import RunError
from flows.lake.lake import Lake
from flows.lake.parquet_files import ROWS_AT_ONCE, batches_of, naming
from flows.lake.schemas import conform

_PIECE_GROUPS = 4


@dataclass(frozen=True)
class FilePiece:
    """Some row groups of one file of a table, by the file's name in the lake; None for all of them."""

    table: str
    name: str
    groups: tuple[int, ...] | None = None


def pieces_of(lake: Lake, table: str, day: date, file: str = "*") -> list[FilePiece]:
    """One day of a table (or one file of it) in pieces, in order. Raises RunError where a file cannot be read."""
    found: list[FilePiece] = []
    for name in lake.names(table, day) if file == "*" else [file]:
        place = lake.partition(table, day, name)
        source = lake.backend.source(whole := f"{table}/day={day.isoformat()}/{name}.parquet")
        if source is None:
            continue
        with naming(place), pq.ParquetFile(source) as opened:
            rows = [opened.metadata.row_group(number).num_rows for number in range(opened.metadata.num_row_groups)]
        # Only groups of whole batches can be read apart without other batches.
        if any(count % ROWS_AT_ONCE for count in rows[:-1]) or len(rows) <= _PIECE_GROUPS:
            found.append(FilePiece(table, whole))
        else:
            numbers = range(len(rows))
            found += [
                FilePiece(table, whole, tuple(numbers[at : at + _PIECE_GROUPS]))
                for at in range(0, len(rows), _PIECE_GROUPS)
            ]
    return found


def rows_of_piece(lake: Lake, piece: FilePiece, columns: Sequence[str]) -> Iterator[pa.Table]:
    """The rows of a piece in the table's schema, in batches: all pieces of a day give those of `Lake.batches`.

    Raises RunError where this process does not see the file, as on a machine that does not share the lake's folder.
    """
    place, source = lake.backend.place(piece.name), lake.backend.source(piece.name)
    if source is None:
        raise RunError(
            f"{place}: a worker does not see this file; put the lake into a folder that all workers share, under the"
            " same path, or into an object store"
        )
    for rows in batches_of(source, columns, place, piece.groups):
        yield conform(rows, piece.table).select(list(columns))

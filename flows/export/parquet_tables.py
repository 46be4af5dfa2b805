"""The marts as plain Parquet files by day, in a folder or a store of their own."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.lake import Storage, open_backend

_WHOLE = "data.parquet"


class ParquetTables:
    """`<path>/<mart>/day=YYYY-MM-DD/data.parquet`, or `<path>/<mart>/data.parquet` without days; see `TableFormat`.

    A file is replaced as a whole. Several days of one table do not change at one moment, as they do in the other
    formats.
    """

    def __init__(self, path: Path | str, storage: Storage) -> None:
        self._backend = open_backend(path, storage)

    def version(self, table: str) -> str | None:
        """A hash of the files' names and sizes."""
        sizes = self._sizes(table)
        return hashlib.sha256(repr(sorted(sizes.items())).encode()).hexdigest()[:20] if sizes else None

    def replace(self, table: str, rows: pa.Table, days: Sequence[str] | None) -> str:
        """See `TableFormat`."""
        is_by_day = "day" in rows.column_names and pa.types.is_date(rows.schema.field("day").type)
        there = set(self._sizes(table))
        due = {}
        if not is_by_day:
            due[f"{table}/{_WHOLE}"] = rows
        else:
            for day in pc.unique(rows["day"]).to_pylist():
                due[f"{table}/day={day}/{_WHOLE}"] = rows.filter(pc.equal(rows["day"], day))
            if days is None:  # the columns of a table without rows
                due[f"{table}/day=1970-01-01/empty.parquet"] = rows.schema.empty_table()
        for name, part in due.items():
            with self._backend.replacing(name) as file:
                pq.write_table(part, file, compression="zstd")
        asked = there if days is None else {f"{table}/day={day}/{_WHOLE}" for day in days}
        for name in sorted(asked & there - set(due)):
            self._backend.remove(name)
        return self.version(table) or ""

    def purge(self, table: str) -> None:
        """See `TableFormat`: there are no other versions."""

    def rows(self, table: str) -> pa.Table:
        """See `TableFormat`."""
        sources = [self._backend.source(name) for name in sorted(self._sizes(table))]
        parts = [pq.ParquetFile(source).read() for source in sources if source is not None]
        return pa.concat_tables(parts) if parts else pa.table({})

    def _sizes(self, table: str) -> dict[str, int]:
        return self._backend.sizes(f"{table}/day=*/*.parquet") | self._backend.sizes(f"{table}/{_WHOLE}")

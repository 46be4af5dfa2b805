"""Records collected into tables of bounded size, for all kinds of sources."""

import base64
from collections.abc import Iterator

import pyarrow as pa

# Bytes that are not text are kept in base64, and the problem ends with this note.
IN_BASE64 = "; raw is base64"
COLUMNS = pa.schema([("line", pa.int64()), ("raw", pa.string()), ("problem", pa.string())])
_BYTES = 24 << 20
_RECORDS = 1 << 16


class Batches:
    """Takes records one by one and yields a table (COLUMNS) when it has enough of them."""

    def __init__(self) -> None:
        self._records: list[tuple[int, str, str | None]] = []
        self._size = 0

    def add(self, line: int, raw: str, problem: str | None = None) -> Iterator[pa.Table]:
        """Add a record; yields a table that was full before it."""
        if self._records and (self._size + len(raw) > _BYTES or len(self._records) >= _RECORDS):
            yield from self.rest()
        self._records.append((line, raw, problem))
        self._size += len(raw)

    def add_bytes(self, line: int, raw: bytes, problem: str | None = None) -> Iterator[pa.Table]:
        """Add a record that should be text; in base64 if it is not."""
        try:
            yield from self.add(line, raw.decode(), problem)
        except UnicodeDecodeError as error:
            why = problem or f"not valid UTF-8 at byte {error.start}"
            yield from self.add(line, base64.b64encode(raw).decode("ascii"), why + IN_BASE64)

    def rest(self) -> Iterator[pa.Table]:
        """The remaining records."""
        if self._records:
            yield pa.table([list(column) for column in zip(*self._records, strict=True)], schema=COLUMNS)
        self._records, self._size = [], 0

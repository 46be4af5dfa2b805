"""Records gathered into tables of bounded size, whatever they were read from."""

import base64
from collections.abc import Iterator

import pyarrow as pa

# What is no text is kept in base64, and says so.
IN_BASE64 = "; raw is base64"
COLUMNS = pa.schema([("line", pa.int64()), ("raw", pa.string()), ("problem", pa.string())])
_BYTES = 24 << 20
_RECORDS = 1 << 16


class Batches:
    """Takes records one by one and gives a table (COLUMNS) whenever enough have come together."""

    def __init__(self) -> None:
        self._records: list[tuple[int, str, str | None]] = []
        self._size = 0

    def add(self, line: int, raw: str, problem: str | None = None) -> Iterator[pa.Table]:
        """Take a record; what was full before it comes out."""
        if self._records and (self._size + len(raw) > _BYTES or len(self._records) >= _RECORDS):
            yield from self.rest()
        self._records.append((line, raw, problem))
        self._size += len(raw)

    def add_bytes(self, line: int, raw: bytes, problem: str | None = None) -> Iterator[pa.Table]:
        """Take a record that ought to be text; in base64 where it is none."""
        try:
            yield from self.add(line, raw.decode(), problem)
        except UnicodeDecodeError as error:
            why = problem or f"not valid UTF-8 at byte {error.start}"
            yield from self.add(line, base64.b64encode(raw).decode("ascii"), why + IN_BASE64)

    def rest(self) -> Iterator[pa.Table]:
        """What is left."""
        if self._records:
            yield pa.table([list(column) for column in zip(*self._records, strict=True)], schema=COLUMNS)
        self._records, self._size = [], 0

"""Records collected into Arrow tables of bounded size, cut out of the read data, mostly without copies."""

import base64
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.ingest.read.record_batches import IN_BASE64

RECORDS = pa.schema([("file", pa.int32()), ("line", pa.int64()), ("raw", pa.string())])
REFUSED = pa.schema([("file", pa.int32()), ("line", pa.int64()), ("reason", pa.string()), ("raw", pa.string())])
BATCH_BYTES = 32 << 20
_BATCH_RECORDS = 1 << 16
_LINE_FEED = ord("\n")
_WHITESPACE = np.frombuffer(b" \t\r\n\v\f", np.uint8)


@dataclass(frozen=True)
class Batch:
    """Records of one or several files: `file` is a file's number in the run."""

    records: pa.Table  # RECORDS
    refused: pa.Table  # REFUSED


@dataclass
class Filling:
    """A batch that is being filled: texts of several files, cut into records."""

    texts: list[pa.Array] = field(default_factory=list)
    files: list[np.ndarray] = field(default_factory=list)
    lines: list[np.ndarray] = field(default_factory=list)
    loose: list[tuple[int, int, bytes]] = field(default_factory=list)
    refused: list[tuple[int, int, str, str]] = field(default_factory=list)
    size: int = 0
    count: int = 0
    # Space to look for the ends of lines in, kept: the kernel clears new memory, which takes longer than the search.
    _is_end: np.ndarray = field(default_factory=lambda: np.empty(0, bool))

    def add(self, file: int, lines: np.ndarray, texts: pa.Array) -> None:
        self._gather()
        self.texts.append(texts)
        self.files.append(np.full(len(texts), file, np.int32))
        self.lines.append(lines)
        self._counted(len(texts), texts.nbytes)

    def add_lines(self, file: int, last: int, text: bytes, size: int) -> int:
        """Add the lines of the first `size` bytes, which end with a line. Returns the number of the last line."""
        characters = np.frombuffer(text, np.uint8, size)
        if len(self._is_end) < size:
            self._is_end = np.empty(size, bool)
        ends = np.flatnonzero(np.equal(characters, _LINE_FEED, out=self._is_end[:size])) + 1
        if not len(ends) or ends[-1] != size:
            ends = np.append(ends, size)
        offsets = np.concatenate([np.zeros(1, np.int32), ends.astype(np.int32)])
        lines = np.arange(last + 1, last + 1 + len(ends))
        texts = pa.BinaryArray.from_buffers(pa.binary(), len(ends), [None, pa.py_buffer(offsets), pa.py_buffer(text)])
        suspects = np.flatnonzero(np.isin(characters[offsets[:-1]], _WHITESPACE))
        if len(suspects):
            kept = np.ones(len(ends), bool)
            kept[[place for place in suspects.tolist() if not text[offsets[place] : offsets[place + 1]].strip()]] = (
                False
            )
            texts, lines = texts.filter(pa.array(kept)), lines[kept]
        self.add(file, lines, texts)
        return last + len(ends)

    def add_one(self, file: int, line: int, text: bytes) -> None:
        self.loose.append((file, line, text))
        self._counted(1, len(text))

    def refuse(self, file: int, line: int, reason: str, data: bytes) -> None:
        self.refused.append((file, line, reason + IN_BASE64, base64.b64encode(data).decode("ascii")))
        self._counted(1, len(data))

    def is_full(self) -> bool:
        return self.size >= BATCH_BYTES or self.count >= _BATCH_RECORDS

    def is_empty(self) -> bool:
        return not self.count

    def add_rows(self, file: int, rows: pa.Table) -> None:
        """Add rows with the columns line, raw and problem; those with a problem are rejected."""
        bad = pc.is_valid(rows.column("problem"))
        for row in rows.filter(bad).to_pylist():
            self.refused.append((file, row["line"], row["problem"], row["raw"]))
            self._counted(1, len(row["raw"]))
        good = rows.filter(pc.invert(bad))
        for chunk in good.to_batches():
            self.add(file, chunk.column("line").to_numpy(), chunk.column("raw").cast(pa.binary()))

    def take(self) -> Batch:
        """The batch so far; then a new one begins."""
        self._gather()
        numbers = [np.concatenate(part) if part else np.empty(0, np.int64) for part in (self.files, self.lines)]
        texts = self._as_text(pa.chunked_array(self.texts, pa.binary()), *numbers)
        refused = [pa.array(column) for column in zip(*self.refused, strict=True)] or [[], [], [], []]
        batch = Batch(texts, pa.table(dict(zip(REFUSED.names, refused, strict=True)), schema=REFUSED))
        self.__init__(_is_end=self._is_end)  # type: ignore[misc]  # a new batch begins as the first one did
        return batch

    def _counted(self, count: int, size: int) -> None:
        self.count += count
        self.size += size

    def _gather(self) -> None:
        """Convert records that were added one by one to an array, in order with the others."""
        if self.loose:
            files, lines, texts = zip(*self.loose, strict=True)
            self.texts.append(pa.array(texts, pa.binary()))
            self.files.append(np.array(files, np.int32))
            self.lines.append(np.array(lines, np.int64))
            self.loose = []

    def _as_text(self, raw: pa.ChunkedArray, files: np.ndarray, lines: np.ndarray) -> pa.Table:
        try:
            texts = raw.cast(pa.string())
        except pa.ArrowInvalid:
            readable = np.ones(len(raw), bool)
            for place, data in enumerate(raw.to_pylist()):
                try:
                    data.decode()
                except UnicodeDecodeError as error:
                    readable[place] = False
                    why = f"not valid UTF-8 at byte {error.start}"
                    self.refuse(int(files[place]), int(lines[place]), why, data.rstrip(b"\r\n"))
            texts = raw.filter(pa.array(readable)).cast(pa.string())
            files, lines = files[readable], lines[readable]
        return pa.table([pa.array(files, pa.int32()), pa.array(lines, pa.int64()), texts], schema=RECORDS)

"""Rows of CSV and Parquet as records, each a JSON object, so that a log format can be a table too.

Parquet is converted by DuckDB's `to_json`, batch by batch. CSV is in `csv_rows.py`.
"""

import base64
import os
from collections.abc import Iterator
from typing import IO

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.ingest.read.csv_rows import csv_rows
from flows.ingest.read.record_batches import COLUMNS, IN_BASE64

__all__ = ["csv_rows", "parquet_rows"]

_BATCH_BYTES = 16 << 20
_ROWS = 1 << 16
# A larger broken file is reported, but not kept: the lake should not store gigabytes that nobody can read.
_KEPT = 32 << 20
_KEPT_OF_LARGER = 1 << 20


def parquet_rows(file: IO[bytes]) -> Iterator[pa.Table]:
    """The rows of a Parquet file as JSON objects, in tables of line, raw and problem. Never raises for the file.

    Times with a zone are ISO 8601 in UTC, binary values base64, maps objects, decimals numbers with all their digits;
    NaN is null. Of a file that cannot be read (further) there is one record with the reason and its bytes in base64:
    all of them up to 32 MiB, of a larger file the first MiB.
    """
    line = 1
    try:
        stored = pq.ParquetFile(file)
        with duckdb.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            for batch in stored.iter_batches(batch_size=_rows_at_once(stored.metadata)):
                yield from _slices(_converted(connection, pa.Table.from_batches([batch]), line))
                line += len(batch)
    except (pa.ArrowException, OSError, ValueError) as error:
        yield _broken(file, line, " ".join(str(error).split()))


def _rows_at_once(metadata: pq.FileMetaData) -> int:
    """The number of rows for a batch of bounded size, by the file's metadata."""
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    widest = max((group.total_byte_size / max(group.num_rows, 1) for group in groups), default=1)
    return int(min(max(_BATCH_BYTES / max(widest, 1), 1), _ROWS))


def _converted(connection: duckdb.DuckDBPyConnection, rows: pa.Table, line: int) -> pa.Table:
    """Rows to records. A batch that DuckDB cannot convert is halved until the failing row is alone."""
    named = rows.rename_columns([f"c{number}" for number in range(rows.num_columns)])
    try:
        rows.validate(full=True)
        connection.register("given", named)
        fields = [
            f"{_quoted(name)}: {_expression(f'c{number}', kind)}"
            for number, (name, kind) in enumerate(zip(_unique(rows.column_names), rows.schema.types, strict=True))
        ]
        raw = connection.sql(f"select to_json({{{', '.join(fields)}}})::varchar as raw from given").to_arrow_table()
    except (duckdb.Error, pa.ArrowException) as error:
        if len(rows) == 1:
            why = f"a value that cannot be read: {' '.join(str(error).split())[:200]}{IN_BASE64}"
            return pa.table([[line], [base64.b64encode(_in_arrow(rows)).decode()], [why]], schema=COLUMNS)
        half = len(rows) // 2
        return pa.concat_tables(
            [_converted(connection, rows.slice(0, half), line), _converted(connection, rows.slice(half), line + half)]
        )
    lines = pa.array(range(line, line + len(rows)), pa.int64())
    text = raw.column("raw").combine_chunks().cast(pa.string())
    return pa.table([lines, text, pa.nulls(len(rows), pa.string())], schema=COLUMNS)


def _expression(value: str, kind: pa.DataType) -> str:
    """The input of `to_json` for a column, or a part of one, of an Arrow type."""
    made = value
    if pa.types.is_floating(kind):  # JSON has no infinity
        made = f"case when isfinite({value}) then to_json({value}) when isinf({value}) then to_json({value}::text) end"
    elif pa.types.is_timestamp(kind) and kind.tz:
        made = f"strftime({value}::timestamptz, '%Y-%m-%dT%H:%M:%S.%fZ')"
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        made = f"base64({value}::blob)"
    elif pa.types.is_struct(kind) and kind.num_fields:
        parts = [_member(value, field.name, field.type) for field in kind]
        made = f"case when {value} is not null then {{{', '.join(parts)}}} end"
    elif pa.types.is_map(kind):
        item = _expression("entry['value']", kind.item_type)
        entry = f"{{'key': entry['key']::text, 'value': {item}}}"
        made = f"map_from_entries(list_transform(map_entries({value}), lambda entry: {entry}))"
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        made = f"list_transform({value}, lambda item: {_expression('item', kind.value_type)})"
    return made


def _member(value: str, name: str, kind: pa.DataType) -> str:
    return f"{_quoted(name)}: {_expression(f'{value}[{_text(name)}]', kind)}"


def _unique(names: list[str]) -> list[str]:
    """Duplicate names get a number; names that differ only in case are duplicates for DuckDB."""
    found: dict[str, int] = {}
    unique = []
    for name in names:
        found[name.lower()] = found.get(name.lower(), 0) + 1
        unique.append(name if found[name.lower()] == 1 else f"{name}_{found[name.lower()]}")
    return unique


def _quoted(name: str) -> str:
    return '"' + (name or "column").replace('"', '""') + '"'


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _in_arrow(rows: pa.Table) -> bytes:
    """A row that is not text, as an Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return bytes(sink.getvalue())


def _slices(records: pa.Table) -> Iterator[pa.Table]:
    """The same in tables of bounded size: JSON may be many times larger than its source."""
    sizes = pc.cumulative_sum(pc.binary_length(records.column("raw")).cast(pa.int64()))
    parts = pc.divide(sizes, _BATCH_BYTES).to_pylist()
    start = 0
    for number in range(1, len(parts) + 1):
        if number == len(parts) or parts[number] != parts[start]:
            yield records.slice(start, number - start)
            start = number


def _broken(file: IO[bytes], line: int, reason: str) -> pa.Table:
    file.seek(0, os.SEEK_END)
    size = file.tell()
    file.seek(0)
    kept = file.read(size if size <= _KEPT else _KEPT_OF_LARGER)
    part = "" if size <= _KEPT else f"; the file has {size:,} bytes, of which the first {_KEPT_OF_LARGER:,} are kept"
    why = f"a Parquet file that cannot be read from row {line} on: {reason[:200]}{part}{IN_BASE64}"
    return pa.table([[line], [base64.b64encode(kept).decode("ascii")], [why]], schema=COLUMNS)

"""Rows of CSV and Parquet: every one is a record, and a bad one harms no other."""

import base64
import decimal
import io
import json
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.ingest.read.parquet_rows import csv_rows, parquet_rows


def of_csv(data: bytes) -> list[dict[str, Any]]:
    return [row for table in csv_rows(io.BytesIO(data)) for row in table.to_pylist()]


def parquet(table: pa.Table) -> io.BytesIO:
    file = io.BytesIO()
    pq.write_table(table, file)
    return file


def of_parquet(file: io.BytesIO) -> list[dict[str, Any]]:
    return [row for table in parquet_rows(file) for row in table.to_pylist()]


def test_rows_are_objects_of_texts_at_the_line_where_they_begin() -> None:
    rows = of_csv(b'\xef\xbb\xbfid,text\r\n1,"a\r\nb"\r\n\r\n2,"he said ""x"", then"\r\n3,\r\n')
    assert [row["line"] for row in rows] == [2, 5, 6]
    assert [json.loads(row["raw"]) for row in rows] == [
        {"id": "1", "text": "a\r\nb"}, {"id": "2", "text": 'he said "x", then'}, {"id": "3", "text": None},
    ]  # fmt: skip
    assert json.loads(of_csv(b"a;b;a;\n1;2;3;4\n")[0]["raw"]) == {"a": "1", "b": "2", "a_2": "3", "column_4": "4"}


@pytest.mark.parametrize(
    ("bad", "raw", "problem"),
    [
        (b"2,x,y", "2,x,y", "3 fields, expected 2"),
        (b"2", "2", "1 fields, expected 2"),
        (b"2,\xff", base64.b64encode(b"2,\xff").decode(), "not valid UTF-8; raw is base64"),
        (b"2,a\0b", "2,a\0b", "a NUL character"),
        (b'2,"a"b', '2,"a"b', "not valid CSV: ',' expected after '\"'"),
        (b'2,"never closed\nstill', '2,"never closed\nstill', "unclosed quote"),
    ],
)
def test_a_row_that_is_none_is_kept_whole_and_its_neighbours_are_rows(bad: bytes, raw: str, problem: str) -> None:
    before, refused, after = of_csv(b"id,text\n1,a\n" + bad + b"\n3,c\n")
    assert (refused["line"], refused["raw"], refused["problem"]) == (3, raw, problem)
    assert [json.loads(row["raw"])["id"] for row in (before, after)] == ["1", "3"]
    assert before["problem"] is after["problem"] is None


def test_a_file_whose_first_row_cannot_be_read_gives_its_lines_as_they_are() -> None:
    rows = of_csv(b'"id"x,text\n1,a\n')
    assert [(row["line"], row["raw"], row["problem"] is None) for row in rows] == [
        (1, '"id"x,text', False), (2, "1,a", False),
    ]  # fmt: skip
    assert of_csv(b"") == []


@pytest.mark.long
def test_a_field_of_a_hundred_megabytes_goes_through() -> None:
    rows = of_csv(b'id,text\n1,"' + b"x" * 100_000_000 + b'"\n2,b\n')
    assert [len(json.loads(row["raw"])["text"]) for row in rows] == [100_000_000, 1]


def test_values_of_parquet_keep_what_they_are() -> None:
    table = pa.table({
        "decimal": pa.array([decimal.Decimal("12345678901234567890.12")], pa.decimal128(38, 2)),
        "at": pa.array([datetime(2026, 3, 2, 10, tzinfo=UTC)], pa.timestamp("us", tz="Europe/Berlin")),
        "map": pa.array([[("a", b"\xff")]], pa.map_(pa.string(), pa.binary())),
        "nested": [{"list": [[b"\0"], None], "it's": 'a "text"\0'}],
        "lists": [[[{"f": float("nan")}, {"f": float("inf")}, {"f": 1.5}]]],
        "large": pa.array([2**64 - 1], pa.uint64()),
        "none": pa.array([None], pa.struct([("a", pa.float64())])),
        "ID": [1], "id": [2],
    })  # fmt: skip
    (row,) = of_parquet(parquet(table))
    assert '"decimal":12345678901234567890.12,' in row["raw"]
    found = json.loads(row["raw"])
    found.pop("decimal")
    assert found == {
        "at": "2026-03-02T10:00:00.000000Z", "map": {"a": "/w=="}, "large": 2**64 - 1, "none": None,
        "nested": {"list": [["AA=="], None], "it's": 'a "text"\0'},
        "lists": [[{"f": None}, {"f": "inf"}, {"f": 1.5}]], "ID": 1, "id_2": 2,
    }  # fmt: skip


def test_a_text_that_is_none_costs_its_own_row_alone() -> None:
    offsets = b"".join(n.to_bytes(4, "little") for n in (0, 1, 3, 4))
    texts = pa.Array.from_buffers(pa.string(), 3, [None, pa.py_buffer(offsets), pa.py_buffer(b"a\xff\xfeb")])
    rows = of_parquet(parquet(pa.table({"text": texts})))
    assert [row["line"] for row in rows] == [1, 2, 3]
    assert [row["raw"] for row in rows if not row["problem"]] == ['{"text":"a"}', '{"text":"b"}']
    assert rows[1]["problem"].endswith("; raw is base64")
    assert b"\xff\xfe" in base64.b64decode(rows[1]["raw"])


def test_rows_come_in_batches_of_bounded_size() -> None:
    table = pa.table({"n": range(60), "text": ["x" * 1_000_000] * 60})
    tables = list(parquet_rows(parquet(table)))
    assert max(part.nbytes for part in tables) < 32 << 20
    assert [json.loads(raw)["n"] for part in tables for raw in part.column("raw").to_pylist()] == [*range(60)]


@pytest.mark.parametrize("cut", [0, 3, 200])
def test_a_broken_parquet_file_is_one_record(cut: int) -> None:
    data = parquet(pa.table({"a": range(1000)})).getvalue()[:cut]
    (row,) = of_parquet(io.BytesIO(data))
    assert base64.b64decode(row["raw"]) == data
    assert row["problem"].startswith("a Parquet file that cannot be read from row 1 on")
    assert row["problem"].endswith("; raw is base64")

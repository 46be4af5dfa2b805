"""Spans of a big file: each line is in exactly one, and a change between two readings is noticed."""

import random
from functools import partial
from pathlib import Path

import pytest

from flows.ingest.read import LogFile, Span, SpanRead, digest_of, read_files, read_span, spans_of

_READER = random.Random(7)
CONTENTS = {
    "lines": b"".join(b'{"a": %d}\n' % number for number in range(300)),
    "without an end": b'{"a": 1}\n{"a": 2}\n{"a": 3}',
    "blank lines": b'{"a": 1}\n\n\n  \n{"a": 2}\r\n\n{"a": 3}\n\n',
    "long lines": b"".join(b'{"a": "%s"}\n' % (b"x" * _READER.randrange(200)) for _ in range(50)),
    "bad bytes": b'{"a": 1}\n\xff\xfe\n{"a": "\xc3\xa9"}\n',
    "one line": b'{"a": "' + b"y" * 500 + b'"}\n',
}


def file_of(path: Path, content: bytes) -> LogFile:
    path.write_bytes(content)
    return LogFile("s", path.name, partial(path.open, "rb"), expected_bytes=len(content))


@pytest.mark.parametrize("most", [1, 2, 7, 64, 1000])
@pytest.mark.parametrize("name", CONTENTS)
def test_spans_have_the_lines_of_the_whole_file(tmp_path: Path, name: str, most: int) -> None:
    file = file_of(tmp_path / "log.jsonl", CONTENTS[name])
    whole = [
        row for batch in read_files([file], 3) for rows in (batch.records, batch.refused) for row in rows.to_pylist()
    ]
    size, found, checksums, last = file.expected_bytes, [], [], 0
    spans = [Span(start, min(start + most, size), size) for start in range(0, size, most)]
    for span in spans:
        read = SpanRead()
        for batch in read_span(3, file, span, read):
            for rows in (batch.records, batch.refused):
                found += [{**row, "line": row["line"] + last} for row in rows.to_pylist()]
        checksums.append(read.checksum)
        last += read.lines

    def by_line(row: dict[str, object]) -> object:
        return row["line"]

    assert sorted(found, key=by_line) == sorted(whole, key=by_line)
    content, expected = digest_of(file, spans)
    assert (content, checksums) == (file.content, expected)


def test_a_changed_file_has_another_checksum(tmp_path: Path) -> None:
    file = file_of(tmp_path / "log.jsonl", CONTENTS["lines"])
    spans = spans_of(file, 1000)
    _, before = digest_of(file, spans)
    (tmp_path / "log.jsonl").write_bytes(CONTENTS["lines"].replace(b"299", b"999"))
    read = SpanRead()
    assert list(read_span(0, file, spans[-1], read))
    assert read.checksum != before[-1]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.jsonl.gz", CONTENTS["lines"]),
        ("log.jsonl", b"\x1f\x8b" + CONTENTS["lines"]),
        ("log.jsonl", b"\xef\xbb\xbf" + CONTENTS["lines"]),
        ("log.jsonl", CONTENTS["lines"].decode().encode("utf-16-le")),
        ("log.jsonl", CONTENTS["lines"].replace(b"\n", b"\r")),
        ("log.jsonl", b"[" + CONTENTS["lines"].replace(b"\n", b",\n")),
        ("log.json", b"[" + CONTENTS["lines"].replace(b"\n", b",\n")),
        ("log.csv", CONTENTS["lines"]),
        ("log.jsonl", CONTENTS["lines"][:100]),
    ],
)
def test_only_big_files_of_plain_lines_have_spans(tmp_path: Path, name: str, content: bytes) -> None:
    assert spans_of(file_of(tmp_path / name, content), 200) == []
    assert len(spans_of(file_of(tmp_path / "plain.jsonl", CONTENTS["lines"]), 200)) > 2

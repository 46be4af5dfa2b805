"""Files to records: everything that is in a file is in a record, whatever the file is."""

import gzip
import io
import json
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from flows.ingest.read import json_documents, reader

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('"\\{}[], aé\n', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('"\\{}', max_size=3), inner, max_size=3),
    max_leaves=12,
)


def read(content: bytes, name: str = "a.jsonl") -> tuple[list[tuple[int, str]], list[tuple[int, str, str]]]:
    file = reader.LogFile("s", name, lambda: io.BytesIO(content))
    batches = list(reader.read_files([file]))
    assert file.bytes == len(content)
    good = [(row["line"], row["raw"]) for batch in batches for row in batch.records.to_pylist()]
    bad = [(row["line"], row["reason"], row["raw"]) for batch in batches for row in batch.refused.to_pylist()]
    return good, bad


def test_lines_keep_their_numbers_and_blank_ones_are_no_records() -> None:
    content = b'\xef\xbb\xbf{"a":1}\r\n\n  \t\n {"b":2}\n\xff\n{"c":3}'
    good, bad = read(content)
    assert [(line, json.loads(raw)) for line, raw in good] == [(1, {"a": 1}), (4, {"b": 2}), (6, {"c": 3})]
    assert bad == [(5, "not valid UTF-8 at byte 0; raw is base64", "/w==")]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress, bytes])
def test_a_file_is_read_by_its_bytes_whatever_its_name(pack: Any) -> None:
    content = b"".join(b'{"n":%d}\n' % n for n in range(1000))
    assert read(pack(content)) == read(content)
    assert read(pack(content) + pack(content))[0][-1][0] == 2000
    assert read(pack(b"")) == ([], [])


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_compressed_file_that_breaks_off_keeps_what_can_be_read(pack: Any) -> None:
    packed = pack("".join(f'{{"n":{n * n}}}\n' for n in range(300_000)).encode())
    good, bad = read(packed[: len(packed) // 2])
    assert len(good) > 100_000
    assert [json.loads(raw)["n"] for _, raw in good] == [n * n for n in range(len(good))]
    ((line, reason, _),) = bad
    assert line == len(good) + 1
    assert reason.startswith("the compressed file is cut off here: unexpected end of the file")
    _, (*_, last) = read(packed + b"this was appended by mistake")
    assert "is cut off here" in last[1]


def test_a_line_of_a_hundred_megabytes_is_a_line() -> None:
    long = json.dumps({"text": "x" * 100_000_000})
    good, bad = read(f'{{"a":1}}\n{long}\n{{"b":2}}\n'.encode())
    assert [(line, len(raw)) for line, raw in good] == [(1, 8), (2, len(long) + 1), (3, 8)]
    assert not bad


def test_a_line_that_no_column_can_hold_is_refused_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_LONGEST", 3 << 20)
    good, bad = read(b'{"a":1}\n' + b"x" * (10 << 20) + b'\n{"b":2}\n')
    assert next(raw for _, raw in good) == '{"a":1}\n'
    assert [raw for _, raw in good][-1] == '{"b":2}\n'
    assert sum(len(raw) for _, _, raw in bad) > 8 << 20


@given(items=st.lists(st.dictionaries(st.text(max_size=3), JSON, max_size=3), max_size=5),
       indent=st.sampled_from([None, 1]), as_list=st.booleans(), size=st.integers(1, 60))  # fmt: skip
def test_documents_are_cut_where_json_cuts_them(items: list[Any], indent: int | None, as_list: bool, size: int) -> None:
    texts = [json.dumps(item, indent=indent) for item in items]
    content = (f"[{', '.join(texts)}]" if as_list else "\n".join(texts)).encode()
    blocks = (content[place : place + size] for place in range(0, len(content), size))
    assert [json.loads(text) for text in json_documents.documents(blocks)] == items


@given(st.binary(max_size=80).map(lambda data: data.translate(bytes(b'{}[]",\\a: \n'[n % 11] for n in range(256)))))
def test_nothing_of_a_json_file_is_lost_whatever_it_holds(content: bytes) -> None:
    kept = b"".join(json_documents.documents([content]))
    left = [byte for byte in content if byte not in b" \t\r\n,[]"]
    assert [byte for byte in kept if byte not in b" \t\r\n,[]"] == left


def test_a_bad_line_of_a_json_file_of_lines_harms_no_other() -> None:
    good, _ = read(b'{"a":1}\n{"cut\n{"b":2}\n', "a.json")
    assert [raw for _, raw in good] == ['{"a":1}\n', '{"cut\n', '{"b":2}\n']


def test_a_json_file_is_one_object_a_list_of_them_or_several() -> None:
    for content in ('{\n "a": 1}', '[{"a": 1}, {"b": [2]}]', '{\n"a": 1}\n{"b": [2]}'):
        good, bad = read(content.encode(), "a.json.gz")
        assert {"a": 1} in [json.loads(raw) for _, raw in good]
        assert not bad

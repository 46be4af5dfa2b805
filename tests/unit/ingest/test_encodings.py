"""Files in other encodings than UTF-8 with line feeds."""

import json

import pytest

from flows.ingest.read.encodings import in_utf8
from tests.reading import mapped_bytes

LINES = [json.dumps({"call_id": f"c{n}", "started_at": 1772445600 + n, "input_text": "für 🙂"}, ensure_ascii=False)
         for n in range(3)]  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("name", ["log.jsonl", "log.json"])
def test_a_file_is_read_in_the_encoding_that_its_mark_tells(encoding: str, end: str, name: str) -> None:
    mark = "\ufeff" if encoding.endswith(("-be", "-le")) else ""
    found = mapped_bytes("genchi", (mark + end.join(LINES) + end).encode(encoding), name)
    assert found.refused.num_rows == 0
    assert found.interactions.column("call_id").to_pylist() == ["c0", "c1", "c2"]
    assert set(found.interactions.column("input_text").to_pylist()) == {"für 🙂"}
    assert found.interactions.column("line").to_pylist() == [1, 2, 3]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_character_may_be_cut_by_the_end_of_a_block(size: int) -> None:
    data = "für 🙂".encode("utf-16")
    blocks = [data[:4], *(data[place : place + size] for place in range(4, len(data), size))]
    assert b"".join(in_utf8(blocks)).decode() == "für 🙂"


def test_what_is_no_text_of_its_encoding_harms_no_other_line() -> None:
    data = "\ufeff".encode("utf-16-le") + b"\x00\xd8" + ("\n" + "\n".join(LINES)).encode("utf-16-le")
    found = mapped_bytes("genchi", data)
    assert found.refused.num_rows == 1
    assert found.interactions.num_rows == 3


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_json_tells_that_it_is_utf_16_without_a_mark(encoding: str) -> None:
    assert "".join(part.decode() for part in in_utf8([LOG.encode(encoding)])) == LOG


LOG = '{"call_id": "a", "started_at": "2026-03-02", "input_text": "für"}\n'


@pytest.mark.parametrize("text", ["[\n%s,\n%s\n]\n", "[%s,%s]", "  [%s,\n%s]\n"])
def test_a_list_of_records_is_read_whatever_the_name_of_its_file(text: str) -> None:
    one = LOG.strip()
    found = mapped_bytes("genchi", (text % (one, one.replace('"a"', '"b"'))).encode(), "app.jsonl")
    assert (found.interactions.column("call_id").to_pylist(), found.refused.num_rows) == (["a", "b"], 0)


def test_a_line_that_is_a_list_is_refused_alone() -> None:
    found = mapped_bytes("genchi", b'[{"a": 1}]\n' + LOG.encode(), "app.jsonl")
    assert (found.interactions.num_rows, found.refused.num_rows) == (1, 1)

"""Many texts are found in much data as the plain search finds them."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from flows.erasure.needles import Needles
from flows.erasure.person import pieces_of

WORDS = st.text("ab-", min_size=8, max_size=20)


@given(st.text("ab-é", max_size=200), st.sets(WORDS, max_size=6))
def test_every_occurrence_is_found_and_nothing_else(text: str, words: set[str]) -> None:
    data, needles = text.encode(), Needles(word.encode() for word in words)
    found = {(hit.place, needles.all[hit.needle]) for hit in needles.hits(data)}
    assert found == {
        (place, one.encode()) for one in words for place in range(len(data)) if data.startswith(one.encode(), place)
    }


def test_an_id_is_none_within_a_longer_one() -> None:
    needles = Needles([], [b"call-0001"])
    assert not needles.is_in("see call-00012 and my-call-0001")
    assert needles.is_in('{"id":"call-0001"}')
    assert list(needles.hits(b"xcall-00019", is_text=False))


def test_what_lies_across_two_blocks_is_found_once() -> None:
    needle = b"a sentence of somebody"
    data = b"." * ((1 << 21) - 5) + needle + b"." * 100
    assert [hit.place for hit in Needles([needle]).hits(data)] == [(1 << 21) - 5]


def test_a_column_tells_rows_and_two_neighbours_make_no_text() -> None:
    column = pa.chunked_array([["one two three", None, "four five"], ["six", "one two three four"]])
    needles = Needles([b"one two three", b"five six"])
    assert [row for row, _ in needles.rows_of(column)] == [0, 4]
    assert not needles.rows_of(pa.chunked_array([["four five", " six"]]))


def test_pieces_are_what_no_writing_changes() -> None:
    assert pieces_of('short "and then a long enough sentence" <b>x</b>') == ["and then a long enough sentence"]
    assert pieces_of("too short") == []

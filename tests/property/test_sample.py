"""The sample by rank: Python's `rank`, the expression of the flows and the macro of dbt draw the same."""

import hashlib
from collections.abc import Iterator

import duckdb
import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

from flows.stats.sample import rank, rank_in_sql
from tests import rendering

KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
RANK = rendering.render("{{ sample_rank('key') }}", "text")
LIMIT = rendering.render("{{ sample_limit('n', 'size') }}", "text")


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@settings(max_examples=60, deadline=None)
@given(keys=st.lists(KEYS, min_size=1, max_size=50))
@example(keys=["", "a", "ä", "a\u0308", "漢字", "🙂", "\x00", "a\x1fb", "a b ", "ß", "\u200d", "x" * 5000])
def test_python_and_sql_rank_every_key_alike(database: duckdb.DuckDBPyConnection, keys: list[str]) -> None:
    found = database.execute(
        f"select key, {rank_in_sql('key')}, {RANK} from (select unnest($keys) as key)", {"keys": keys}
    ).fetchall()
    assert found == [(key, rank(key), rank(key)) for key in keys]


@settings(max_examples=100, deadline=None)
@given(keys=st.lists(KEYS, min_size=2, max_size=50, unique=True))
def test_sql_sorts_ranks_as_python_does(database: duckdb.DuckDBPyConnection, keys: list[str]) -> None:
    found = database.execute(
        f"select key from (select unnest($keys) as key) order by {RANK}", {"keys": keys}
    ).fetchall()
    assert [key for (key,) in found] == sorted(keys, key=rank)


@settings(max_examples=100, deadline=None)
@given(key=KEYS, n=st.integers(0, 10**6), size=st.integers(1, 10**9))
def test_a_rank_is_below_the_limit_of_a_share_where_its_number_is_below_the_share(
    database: duckdb.DuckDBPyConnection, key: str, n: int, size: int
) -> None:
    found = database.execute(
        f"select {RANK} < {LIMIT} from (select $key as key, $n as n, $size as size)",
        {"key": key, "n": n, "size": size},
    ).fetchall()
    assert found == [(size <= n or int(rank(key)[:13], 16) < int(n / size * 16**13),)]


def test_the_limit_draws_about_as_many_keys_as_it_is_asked_for(database: duckdb.DuckDBPyConnection) -> None:
    drawn = database.execute(
        f"select count(*) filter ({RANK} < {LIMIT}) from"
        " (select 'call-' || key as key, 2000 as n, 100000 as size from range(100000) as keys(key))"
    ).fetchall()
    assert drawn[0][0] == pytest.approx(2000, abs=4 * 2000**0.5)


def test_there_is_no_limit_where_the_size_is_unknown(database: duckdb.DuckDBPyConnection) -> None:
    assert database.execute(f"select {LIMIT} from (select 5 as n, null::bigint as size)").fetchall() == [(None,)]


def test_a_rank_is_the_md5_of_the_parts_of_a_key_with_a_unit_separator_between_them() -> None:
    assert rank("a") == "0cc175b9c0f1b6a831c399e269772661"
    assert rank("route", "é") == hashlib.md5("route\x1fé".encode()).hexdigest()
    assert rank("ab", "c") != rank("a", "bc")


def test_half_of_a_surrogate_pair_has_a_rank_too() -> None:
    assert rank("a\ud800") == rank("a?")

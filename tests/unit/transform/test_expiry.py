"""Old rows of calls leave the warehouse, numbers of days stay, and the file shrinks."""

from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from flows.config import Config, load_config
from flows.errors import ConfigError, RunError
from flows.retention import calls_kept
from flows.transform.compaction import compact, free_share
from flows.transform.expiry import expire, is_due

NIGHT = date(2026, 3, 31)
DAYS, MANY = 60, 2000


def workspace(root: Path, more: str = "") -> Config:
    (root / "genchi.yaml").write_text(f"app: a\nlake: lake\n{more}", encoding="utf-8")
    return load_config(root / "genchi.yaml", {})


def fill(config: Config, calls: int = 10) -> None:
    """A table of calls and one of days, with sixty nights each."""
    config.warehouse.parent.mkdir(parents=True, exist_ok=True)
    first = NIGHT - timedelta(days=DAYS - 1)
    with duckdb.connect(str(config.warehouse)) as connection:
        for schema in ("intermediate", "marts"):
            connection.execute(f"create schema {schema}")
        connection.execute(
            f"create table intermediate.int_pair_features as select date '{first}' + cast(n // {calls} as integer)"
            f" as day, md5(n::varchar) as subject_id from range({DAYS * calls}) as calls(n)"
        )
        connection.execute(
            f"create table marts.fct_usage_daily as select date '{first}' + cast(n as integer) as day, n as calls"
            f" from range({DAYS}) as days(n)"
        )
        connection.execute("create table meta_version as select 4 as version")


def days_of(config: Config, table: str) -> int:
    with duckdb.connect(str(config.warehouse), read_only=True) as connection:
        return int(connection.execute(f"select count(distinct day) from {table}").fetchall()[0][0])


def test_rows_of_calls_go_numbers_stay_and_the_file_shrinks(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    assert not is_due(config, NIGHT)
    fill(config, MANY)
    before = config.warehouse.stat().st_size
    assert is_due(config, NIGHT)
    done = expire(config, NIGHT)
    assert done.rows == (DAYS - 37) * MANY
    assert days_of(config, "intermediate.int_pair_features") == 37  # 36 days before the night's own
    assert days_of(config, "marts.fct_usage_daily") == DAYS
    assert config.warehouse.stat().st_size < before
    assert free_share(config.warehouse) < 0.25
    assert not is_due(config, NIGHT)
    assert expire(config, NIGHT).summary() == "0 old rows of the warehouse"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("", 36),
        ("window_days: 7\n", 15),
        ("retention: {interactions: 10d}\n", 96),  # what is late could not be computed again
        ("retention: {interactions: 200d}\n", 36),
        ("retention: {warehouse_calls: 90d}\n", 90),
        ("retention: {warehouse_calls: 5d}\n", 36),
        ("retention: {warehouse_calls: keep}\n", None),
    ],
)
def test_rows_of_calls_are_kept_as_long_as_a_night_reads_them(tmp_path: Path, written: str, kept: int | None) -> None:
    assert calls_kept(workspace(tmp_path, written)) == kept


def test_numbers_of_days_go_only_where_it_is_asked_for(tmp_path: Path) -> None:
    config = workspace(tmp_path, "retention: {warehouse_days: 50d}\n")
    fill(config)
    expire(config, NIGHT)
    assert days_of(config, "marts.fct_usage_daily") == 51


def test_tombstones_cannot_be_removed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="bring back what was forgotten"):
        workspace(tmp_path, "retention: {tombstones: 30d}\n")


def test_a_compact_file_has_the_same_tables_and_no_deleted_text(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    fill(config)
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute("create table marts.texts (a varchar not null, check (a <> ''))")
        connection.execute("insert into marts.texts values ('a text that must not stay'), ('another')")
        connection.execute("delete from marts.texts where a <> 'another'")
    compact(config.warehouse)
    assert b"must not stay" not in config.warehouse.read_bytes()
    assert [path.name for path in tmp_path.joinpath("lake").iterdir()] == ["warehouse.duckdb"]
    with duckdb.connect(str(config.warehouse)) as connection:
        assert connection.execute("from marts.texts").fetchall() == [("another",)]
        assert connection.execute("from meta_version").fetchall() == [(4,)]
        with pytest.raises(duckdb.ConstraintException):
            connection.execute("insert into marts.texts values ('')")


def test_a_warehouse_that_is_no_longer_one_is_left_as_it_is(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    config.warehouse.parent.mkdir()
    config.warehouse.write_bytes(b"not a database" * 1000)
    with pytest.raises(RunError, match="cannot be written anew"):
        compact(config.warehouse)
    assert config.warehouse.read_bytes() == b"not a database" * 1000
    assert not is_due(config, NIGHT)

"""An older warehouse is brought up to date by the next build and keeps its marts; a later one is left alone."""

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from flows.cli import main
from flows.config.load import Config
from flows.errors import RunError
from flows.lake.lake import from_rows
from flows.marts import LAKE_TABLES, PublishedMarts
from flows.transform.build import build
from flows.warehouse import query

pytestmark = pytest.mark.long  # builds warehouses

DAY = date(2026, 3, 2)
VERSION = "select version from meta.warehouse_version"
USAGE = "select day, calls from marts.fct_usage_daily order by day"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("workspace")
    config = Config(path=folder / "genchi.yaml", app="a", lake=folder / "lake", warehouse=folder / "warehouse.duckdb")
    for day in (DAY, DAY + timedelta(days=1)):
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        calls = [{"call_id": f"{day}-{n}", "route": "r", "started_at": at, "status": "success"} for n in range(3)]
        config.open_lake().write("interactions", day, from_rows(calls, "interactions"))
    build(config, DAY, DAY)
    return config


def test_a_new_warehouse_has_the_newest_version(config: Config) -> None:
    assert query(config.warehouse, VERSION) == [{"version": 5}]


def test_a_build_drops_what_no_model_builds_any_more_and_keeps_the_marts(config: Config) -> None:
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute("drop table meta.warehouse_version")
        connection.execute("create table intermediate.int_of_an_older_genchi as select 1 as n")
        connection.execute("alter table intermediate.int_topic_counts_daily rename column topic_series to topic_id")
        connection.execute("create table marts.fct_of_a_colleague as select 1 as n")
    before = query(config.warehouse, USAGE)
    build(config, DAY + timedelta(days=1), DAY + timedelta(days=1))
    tables = "select table_schema, table_name from information_schema.tables"
    left = {(row["table_schema"], row["table_name"]) for row in query(config.warehouse, tables)}
    assert ("intermediate", "int_of_an_older_genchi") not in left
    assert {("marts", "fct_of_a_colleague"), ("intermediate", "int_text_words")} <= left
    assert query(config.warehouse, VERSION) == [{"version": 5}]
    assert query(config.warehouse, USAGE)[:1] == before
    columns = "select column_name from information_schema.columns where table_name = 'int_topic_counts_daily'"
    assert {"column_name": "topic_series"} in query(config.warehouse, columns)


def test_tables_as_large_as_the_texts_move_to_the_lake_with_all_their_days(config: Config) -> None:
    lake, long_ago = config.open_lake(), DAY - timedelta(days=300)
    before = PublishedMarts(lake).query("from intermediate.int_pair_features order by all")
    assert before
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute("update meta.warehouse_version set version = 4")
        for table in LAKE_TABLES:
            place = f"{lake.root}/{table.replace('.', '/')}/day=*/*.parquet"
            connection.execute(f"create table {table} as from read_parquet('{place}')")
            connection.execute(f"insert into {table} by name select date '{long_ago}' as day, 'old' as subject_id")
    shutil.rmtree(Path(lake.root) / "intermediate")
    Path(lake.root, "marts", "_published.json").unlink()
    build(config, DAY, DAY)
    tables = "select table_name from information_schema.tables where table_schema = 'intermediate'"
    assert not {f"intermediate.{row['table_name']}" for row in query(config.warehouse, tables)} & LAKE_TABLES
    after = PublishedMarts(lake).query("from intermediate.int_pair_features where subject_id <> 'old' order by all")
    assert after == before
    for table in LAKE_TABLES:
        old = PublishedMarts(lake).query(f"select day from {table} where subject_id = 'old'")
        assert old == [{"day": long_ago}]


def test_genchi_migrate_says_the_versions_of_both(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    config.path.write_text("app: a\nlake: lake\nwarehouse: warehouse.duckdb\n", encoding="utf-8")
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute("drop table meta.warehouse_version")
    assert main(["migrate", "--config", str(config.path)]) == 0
    assert capsys.readouterr().out == "lake: version 3\nwarehouse: version 5\n"


def test_a_warehouse_of_a_later_version_is_left_alone(config: Config) -> None:
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute("update meta.warehouse_version set version = 6")
    with pytest.raises(RunError, match="the warehouse has version 6, this genchi reads up to version 5"):
        build(config, DAY, DAY)
    assert query(config.warehouse, VERSION) == [{"version": 6}]

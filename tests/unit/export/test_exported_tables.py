"""Exported tables: other engines read what the warehouse has, whatever happened to the run or to the tables."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from flows.config import Config, load_config
from flows.errors import ConfigError, RunError
from flows.export import export_tables, publish_marts, purge_tables
from flows.export.delta_tables import DeltaTables
from flows.export.exporting import Exported
from flows.export.iceberg_tables import IcebergTables
from flows.lake import Storage
from flows.marts import built_marts

DAY = date(2026, 3, 4)
BEFORE = DAY - timedelta(days=1)
FORMATS = ("delta", "iceberg", "parquet")
SQL = """
    create schema marts;
    create table marts.fct_usage_daily (day date, route varchar, calls bigint, cost_usd double, ids varchar[]);
    insert into marts.fct_usage_daily values
        ('2026-03-03', 'triage', 4, 0.5, ['a', null]), ('2026-03-03', 'it''s "x"', 5, null, null),
        ('2026-03-04', 'triage', 7, 1.5, []);
    create table marts.fct_incidents (day date, title varchar, first_seen timestamptz, is_large boolean, n integer);
    create table marts.my_totals (name varchar, n hugeint);
    insert into marts.my_totals values ('all', 12), ('none', null);
"""
TABLES = ("fct_usage_daily", "fct_incidents", "my_totals")


def workspace(folder: Path, format_: str) -> Config:
    settings = {"app": "a", "lake": "lake", "export": {"format": format_, "path": "tables"}}
    (folder / "genchi.yaml").write_text(json.dumps(settings))
    config = load_config(folder / "genchi.yaml", {})
    config.warehouse.parent.mkdir()
    change(config, SQL)
    return config


@pytest.fixture(params=FORMATS)
def config(tmp_path: Path, request: pytest.FixtureRequest) -> Config:
    return workspace(tmp_path, request.param)


def change(config: Config, sql: str) -> None:
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute(sql)


def export(config: Config) -> Exported:
    with config.open_lake().lock("test"):
        publish_marts(config, DAY, DAY)
        return export_tables(config)


def files_of(config: Config, table: str) -> list[str]:
    """The files of a table's newest version, as its own library lists them for other engines."""
    assert config.export
    place = Path(str(config.export.path))
    if config.export.format == "delta":
        from deltalake import DeltaTable

        return DeltaTable(f"{place}/{table}").file_uris()
    if config.export.format == "iceberg":
        from pyiceberg.catalog import load_catalog

        catalog = load_catalog("genchi", type="sql", uri=f"sqlite:///{place}/iceberg.db")
        scan = catalog.load_table(f"marts.{table}").scan()
        return [task.file.file_path.removeprefix("file://") for task in scan.plan_files()]
    return [str(path) for path in sorted(place.glob(f"{table}/**/*.parquet"))]


def read_by_duckdb(config: Config, table: str) -> list[tuple[Any, ...]]:
    """All rows of a table, by DuckDB from its files."""
    files, columns = files_of(config, table), ", ".join(built_marts(config).columns()[table])
    if not files:
        return []
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        # A file of Delta lacks the column that it is partitioned by.
        sql = (
            f"select {columns} from read_parquet(?, hive_partitioning = true, hive_types_autocast = true) order by all"
        )
        return connection.execute(sql, [files]).fetchall()


def built(config: Config, table: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in built_marts(config).query(f"from marts.{table} order by all")]


def assert_equal(config: Config) -> None:
    for table in TABLES:
        assert repr(read_by_duckdb(config, table)).replace("Decimal('12')", "12") == repr(built(config, table))


def test_duckdb_reads_every_exported_table_row_for_row(config: Config) -> None:
    assert export(config).tables == 2
    assert_equal(config)
    assert export(config) == Exported(0, 0, str(config.workspace / "tables"))


def test_polars_reads_every_exported_table_row_for_row(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    polars = pytest.importorskip("polars", reason="another engine: install polars beside the tests")
    monkeypatch.setenv("POLARS_ICEBERG_PLANNER", "pyiceberg")  # its own is one more library
    export(config)
    assert config.export
    for table in TABLES:
        place = f"{config.export.path}/{table}"
        if config.export.format == "delta":
            frame = polars.read_delta(place)
        elif config.export.format == "iceberg":
            newest = max(Path(place).glob("metadata/*.metadata.json"))
            frame = polars.scan_iceberg(str(newest)).collect()
        else:
            frame = polars.read_parquet(f"{place}/**/*.parquet")
        rows = [tuple(row) for row in frame.select(built_marts(config).columns()[table]).rows()]
        assert sorted(map(repr, rows)) == sorted(
            repr(row) if table != "my_totals" else repr(row).replace("12", "Decimal('12')")
            for row in built(config, table)
        )


def test_only_changed_days_are_written_and_a_day_that_lost_its_rows_is_empty(config: Config) -> None:
    export(config)
    old = set(files_of(config, "fct_usage_daily"))
    change(config, "update marts.fct_usage_daily set calls = 9 where day = '2026-03-04'")
    change(config, "insert into marts.fct_incidents values ('2026-03-04', 'It moved', '2026-03-04 05:00Z', true, 2)")
    assert export(config).days == 2
    kept = [name for name in old if f"day={BEFORE}" in name]
    assert set(kept) <= set(files_of(config, "fct_usage_daily"))
    assert_equal(config)
    change(config, "delete from marts.fct_usage_daily where day = '2026-03-04'; delete from marts.fct_incidents")
    export(config)
    assert_equal(config)
    assert {row[0] for row in read_by_duckdb(config, "fct_usage_daily")} == {BEFORE}


def test_other_columns_and_a_mart_that_is_no_more(config: Config) -> None:
    export(config)
    change(
        config, "alter table marts.fct_usage_daily add column errors bigint; update marts.fct_usage_daily set errors=1"
    )
    export(config)
    assert_equal(config)
    change(config, "alter table marts.fct_usage_daily drop column calls")
    change(config, "alter table marts.my_totals alter n type varchar")
    export(config)
    assert_equal(config)
    columns = built_marts(config).columns()
    change(config, "drop table marts.fct_usage_daily")
    export(config)
    assert "fct_usage_daily" in columns
    files = files_of(config, "fct_usage_daily")
    assert sum(duckdb.read_parquet(file).shape[0] for file in files) == 0


def test_what_somebody_else_did_to_a_table_is_undone(config: Config) -> None:
    export(config)
    assert config.export
    place = f"{config.export.path}/fct_usage_daily"
    if config.export.format == "delta":
        from deltalake import DeltaTable

        DeltaTable(place).delete("route = 'triage'")
    elif config.export.format == "iceberg":
        from pyiceberg.catalog import load_catalog

        uri = f"sqlite:///{config.export.path}/iceberg.db"
        load_catalog("genchi", type="sql", uri=uri).load_table("marts.fct_usage_daily").delete("route = 'triage'")
    else:
        Path(f"{place}/day={BEFORE}/data.parquet").unlink()
    assert export(config).tables == 1
    assert_equal(config)


@contextmanager
def killed_while_exporting(config: Config, seconds: float) -> Iterator[None]:
    code = (
        "import sys; from pathlib import Path; from flows.config import load_config\n"
        "from flows.export import export_tables\n"
        "config = load_config(sys.argv[1])\n"
        "with config.open_lake().lock('test'):\n"
        "    print('ready', flush=True); export_tables(config); print('done', flush=True)\n"
    )
    command = [sys.executable, "-c", code, str(config.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        yield


@pytest.mark.long
@pytest.mark.parametrize("format_", FORMATS)
def test_a_kill_leaves_each_day_old_or_new_and_the_next_run_makes_all_equal(tmp_path: Path, format_: str) -> None:
    config = workspace(tmp_path, format_)
    days = "select cast(range as date) as day from range(date '2026-01-01', date '2026-03-04', interval 1 day)"
    change(config, f"insert into marts.fct_usage_daily select day, 'r' || n, 0, 0, [] from ({days}), range(200) t(n)")
    change(config, "update marts.fct_usage_daily set cost_usd = 0")
    export(config)
    for generation, seconds in enumerate((0.05, 0.15, 0.3, 0.45, 0.6), 1):
        change(config, f"update marts.fct_usage_daily set cost_usd = {generation}")
        with config.open_lake().lock("test"):
            publish_marts(config, date(2026, 1, 1), DAY)
        with killed_while_exporting(config, seconds):
            pass
        rows = read_by_duckdb(config, "fct_usage_daily")
        assert len(rows) == len(built(config, "fct_usage_daily"))
        by_day: dict[date, set[float]] = {}
        for row in rows:
            by_day.setdefault(row[0], set()).add(row[3])
        assert all(len(values) == 1 for values in by_day.values())
        export(config)
        assert_equal(config)


@pytest.mark.parametrize("format_", ["delta", "iceberg"])
def test_two_writers_of_one_table_both_land_or_one_is_told(tmp_path: Path, format_: str) -> None:
    config = workspace(tmp_path, format_)
    export(config)
    change(config, "update marts.fct_usage_daily set calls = 100")
    with config.open_lake().lock("test"):
        publish_marts(config, BEFORE, DAY)
    code = "import sys; from flows.config import load_config; from flows.export import export_tables\n" \
           "export_tables(load_config(sys.argv[1]))"  # fmt: skip
    both = [subprocess.Popen([sys.executable, "-c", code, str(config.path)], stderr=subprocess.PIPE, text=True)
            for _ in range(2)]  # fmt: skip
    errors = [process.communicate(timeout=120)[1] for process in both]
    told = ("lock", "another writer", "concurrent update, retrying")
    unexplained = [error for error in errors if error and not any(words in error for words in told)]
    assert not unexplained
    export(config)
    assert_equal(config)


def test_older_versions_are_gone_after_a_purge(config: Config) -> None:
    change(config, "update marts.fct_usage_daily set route = 'Ebenezer Quillfeather' where day = '2026-03-03'")
    export(config)
    change(config, "update marts.fct_usage_daily set route = 'triage'")
    export(config)
    with config.open_lake().lock("test"):
        purge_tables(config)
    tables = config.workspace / "tables"
    for path in tables.rglob("*"):
        if path.is_file():
            assert b"Quillfeather" not in path.read_bytes(), path
        if path.suffix == ".parquet" and "_delta_log" not in str(path):
            assert "Quillfeather" not in str(duckdb.read_parquet(str(path)).fetchall()), path
    assert export(config).days == 0
    assert_equal(config)


@pytest.mark.long
@pytest.mark.parametrize("format_", ["delta", "iceberg"])
def test_a_store_that_cannot_be_reached_is_told_in_one_line_without_keys(tmp_path: Path, format_: str) -> None:
    storage = Storage(key="k", secret="hush-hush", endpoint_url="http://127.0.0.1:9")
    tables = {
        "delta": DeltaTables("s3://nowhere/tables", storage),
        "iceberg": IcebergTables("s3://nowhere/tables", storage, {}, tmp_path),
    }[format_]
    rows = pa.table({"name": ["a"]})
    with pytest.raises(RunError, match=r"s3://nowhere/tables/fct_usage_daily: cannot be written as an? ") as raised:
        tables.replace("fct_usage_daily", rows, None)
    assert "hush-hush" not in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("export_section", "told"),
    [
        ({"format": "delta", "path": "lake/tables"}, "lie in one another; choose another folder"),
        ({"format": "delta", "path": "."}, "lie in one another"),
        ({"format": "delta", "path": "logs/2026"}, "the logs of gateway"),
        ({"format": "parquet", "path": "reports"}, "the reports"),
        ({"format": "hudi", "path": "tables"}, "export.format"),
        ({"format": "delta", "path": "tables", "catalog": {"type": "rest"}}, "`catalog` is for format `iceberg`"),
        ({"format": "delta", "path": "ftp://x/y"}, "is not a supported store"),
    ],
)
def test_a_place_or_format_that_cannot_be_is_told(tmp_path: Path, export_section: dict[str, Any], told: str) -> None:
    sources = [{"name": "gateway", "format": "litellm", "path": "logs/{day}/*.jsonl"}]
    settings = {"app": "a", "lake": "lake", "sources": sources, "export": export_section}
    (tmp_path / "genchi.yaml").write_text(json.dumps(settings))
    with pytest.raises(ConfigError, match=told):
        load_config(tmp_path / "genchi.yaml", {})


@pytest.mark.parametrize(("format_", "library"), [("delta", "deltalake"), ("iceberg", "pyiceberg")])
def test_a_library_that_is_not_installed_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str, library: str
) -> None:
    settings = {"app": "a", "lake": "lake", "export": {"format": format_, "path": "tables"}}
    (tmp_path / "genchi.yaml").write_text(json.dumps(settings))
    monkeypatch.setitem(sys.modules, library, None)  # as Python itself marks what cannot be imported
    with pytest.raises(ConfigError, match=rf"needs an extra: run `pip install 'genchi\[{format_}\]'`"):
        load_config(tmp_path / "genchi.yaml", {})

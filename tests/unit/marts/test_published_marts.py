"""Marts published in the lake: what is written when, and that they read as those of the warehouse do."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from flows import marts
from flows.config import Config, load_config
from flows.errors import RunError
from flows.export import publish_marts
from flows.marts import Keeping, PublishedMarts, built_marts, open_marts, read_published, warehouse_tables
from flows.retention import apply
from tests.publishing import Killed, dying

DAY = date(2026, 3, 4)
BEFORE = DAY - timedelta(days=1)
LONG_AGO = DAY - timedelta(days=400)
SQL = """
    create schema if not exists marts;
    create schema if not exists intermediate;
    create table marts.fct_usage_daily (day date, route varchar, calls bigint, cost_usd double, ids varchar[]);
    insert into marts.fct_usage_daily values
        ('2026-03-03', 'triage', 4, 0.5, ['a', null]), ('2026-03-03', 'it''s "x"', 5, null, null),
        ('2026-03-04', 'triage', 7, 'nan', []);
    create table marts.fct_breaches (day date, kind varchar, first_seen timestamptz, is_large boolean);
    create table marts.my_totals (name varchar, n hugeint, small utinyint, body struct(a int), of uuid);
    insert into marts.my_totals values
        ('all', 170141183460469231731, 255, {'a': 1}, null), ('none', 0, null, null, null);
    create table marts.loose (day date, n integer);
    insert into marts.loose values ('2026-03-04', 1), (null, 2);
    create table intermediate.int_text_words (day date, subject_id varchar, words_checked bigint);
    insert into intermediate.int_text_words values ('2026-03-04', 'c1', 9);
    create table intermediate.int_text_features (day date, subject_id varchar);
    insert into intermediate.int_text_features values ('2026-03-04', 'c1');
"""


def change(config: Config, sql: str) -> None:
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute(sql)


def publish(config: Config, first: date = DAY, last: date = DAY) -> Any:
    with config.open_lake().lock("test"):
        return publish_marts(config, first, last)


def both(config: Config, sql: str) -> list[dict[str, Any]]:
    """The rows of a query, which are the same from the warehouse and as published."""
    built, published = built_marts(config).query(sql), PublishedMarts(config.open_lake()).query(sql)
    assert repr(built) == repr(published)
    return published


def stamps(config: Config) -> dict[str, int]:
    """When each published file was written."""
    root = Path(config.lake)
    found = [*root.glob("marts/**/*.parquet"), *root.glob("intermediate/**/*.parquet")]
    return {str(path.relative_to(root)): path.stat().st_mtime_ns for path in found}


@pytest.fixture(params=["lake", "a [strange] lake's"])
def config(tmp_path: Path, request: pytest.FixtureRequest) -> Config:
    (tmp_path / "genchi.yaml").write_text(json.dumps({"app": "a", "lake": request.param}))
    config = load_config(tmp_path / "genchi.yaml", {})
    config.warehouse.parent.mkdir()
    change(config, SQL)
    return config


def test_published_marts_read_as_those_of_the_warehouse(config: Config) -> None:
    assert publish(config).written == 5
    for table in ("marts.fct_usage_daily", "marts.fct_breaches", "marts.loose", "intermediate.int_text_words"):
        both(config, f"from {table} order by all")
    assert both(config, "select sum(calls) as n from marts.fct_usage_daily where day = '2026-03-04'") == [{"n": 7}]
    joined = 'select u.calls from "marts"."fct_usage_daily" as u join marts . loose as l on u.day = l.day'
    assert both(config, joined) == [{"calls": 7}]
    columns = PublishedMarts(config.open_lake()).columns()
    assert columns == built_marts(config).columns()
    assert "int_text_words" not in columns
    assert not (Path(config.lake) / "intermediate" / "int_text_features").exists()
    stored = PublishedMarts(config.open_lake()).query("from marts.my_totals order by n desc")
    found = [(row["name"], int(row["n"]), row["small"]) for row in stored]
    assert found == [("all", 170141183460469231731, 255), ("none", 0, None)]


def test_a_file_has_the_types_of_its_mart_and_any_engine_reads_it(config: Config) -> None:
    publish(config)
    place = Path(config.lake) / "marts" / "fct_usage_daily" / f"day={DAY}" / "data.parquet"
    assert [str(kind) for kind in pq.read_schema(place).types] == [
        "date32[day]", "string", "int64", "double", "list<element: string>",
    ]  # fmt: skip


def test_what_has_not_changed_is_not_written_again(config: Config) -> None:
    publish(config)
    before = stamps(config)
    assert publish(config).written == 0
    assert stamps(config) == before
    change(config, "update marts.fct_usage_daily set calls = 8 where day = '2026-03-04'")
    assert (publish(config).written, publish(config).written) == (1, 0)
    after = stamps(config)
    assert [name for name in after if after[name] != before.get(name)] == [
        f"marts/fct_usage_daily/day={DAY}/data.parquet"
    ]
    both(config, "from marts.fct_usage_daily order by all")


def test_a_built_day_that_lost_its_rows_is_empty_and_a_day_that_the_build_does_not_know_stays(config: Config) -> None:
    change(config, f"insert into marts.fct_usage_daily values ('{LONG_AGO}', 'old', 1, 1, null)")
    publish(config)
    change(config, "delete from marts.fct_usage_daily where day <> '2026-03-03'; delete from marts.loose")
    assert publish(config).removed == 2  # the built day, and what had a row without one
    published = PublishedMarts(config.open_lake())
    days = [row["day"] for row in published.query("select distinct day from marts.fct_usage_daily order by day")]
    assert days == [LONG_AGO, BEFORE]
    assert published.query("from marts.loose") == []
    publish(config, LONG_AGO, LONG_AGO)
    both(config, "from marts.fct_usage_daily order by all")


def test_a_day_whose_calls_the_warehouse_has_counted_is_in_all_marts_as_the_warehouse_has_it(config: Config) -> None:
    change(config, "insert into marts.fct_breaches values ('2026-03-03', 'drift', now(), true)")
    publish(config)
    change(config, "delete from marts.fct_breaches")
    publish(config)
    both(config, "from marts.fct_breaches order by all")
    change(config, "insert into marts.fct_breaches values ('2026-03-03', 'drift', now(), true)")
    change(config, "delete from marts.fct_usage_daily where day = '2026-03-03'")  # its rows are gone from the lake
    publish(config)
    assert len(PublishedMarts(config.open_lake()).query("from marts.fct_usage_daily")) == 3


def test_retention_takes_days_out_of_what_is_published_as_out_of_the_warehouse(config: Config) -> None:
    change(config, f"insert into marts.fct_usage_daily values ('{LONG_AGO}', 'old', 1, 1, null)")
    publish(config)
    change(config, f"delete from marts.fct_usage_daily where day = '{LONG_AGO}'")
    kept = config.model_copy(update={"retention": {"warehouse_days": 365}})
    apply(kept, DAY)
    publish(kept)
    both(config, "from marts.fct_usage_daily order by all")


def test_a_new_column_is_there_on_all_days_and_null_on_days_that_the_build_does_not_know(config: Config) -> None:
    change(config, f"insert into marts.fct_usage_daily values ('{LONG_AGO}', 'old', 1, 1, null)")
    publish(config)
    change(config, "alter table marts.fct_usage_daily add column errors bigint; delete from marts.loose")
    change(config, f"delete from marts.fct_usage_daily where day = '{LONG_AGO}'")
    publish(config)
    rows = PublishedMarts(config.open_lake()).query("select day, errors from marts.fct_usage_daily order by all")
    assert [(row["day"], row["errors"]) for row in rows] == [(LONG_AGO, None), *[(BEFORE, None)] * 2, (DAY, None)]
    change(config, "alter table marts.fct_usage_daily drop column errors")
    publish(config, LONG_AGO)
    both(config, "from marts.fct_usage_daily order by all")


def test_a_mart_that_was_removed_is_published_no_more(config: Config) -> None:
    publish(config)
    change(config, "drop table marts.my_totals")
    publish(config)
    with pytest.raises(duckdb.CatalogException):
        PublishedMarts(config.open_lake()).query("from marts.my_totals")
    assert not [name for name in stamps(config) if "my_totals" in name]


def gone(place: Path) -> None:
    place.unlink()


def cut(place: Path) -> None:
    place.write_bytes(place.read_bytes()[:-9])


@pytest.mark.parametrize("damage", [gone, cut])
def test_a_damaged_file_is_told_and_written_again(config: Config, damage: Callable[[Path], None]) -> None:
    publish(config)
    damage(Path(config.lake) / "marts" / "my_totals" / "data.parquet")
    with pytest.raises(RunError, match=r"marts: cannot be read: .*; `genchi transform` publishes the marts anew"):
        PublishedMarts(config.open_lake()).query("from marts.my_totals")
    assert publish(config).written == 1
    assert len(PublishedMarts(config.open_lake()).query("from marts.my_totals")) == 2


def test_a_damaged_note_is_told_and_made_again(config: Config) -> None:
    publish(config)
    note = Path(config.lake) / "marts" / "_published.json"
    note.write_text('{"marts.fct_usage_daily": []}')
    with pytest.raises(RunError, match=r"_published.json: not a readable list .* delete it"):
        PublishedMarts(config.open_lake()).query("from marts.fct_usage_daily")
    publish(config)
    both(config, "from marts.fct_usage_daily order by all")


def test_a_run_that_dies_at_any_step_leaves_all_days_old_or_all_new_and_the_next_run_makes_it_whole(
    config: Config,
) -> None:
    publish(config)
    lake = config.open_lake()
    for steps in range(40):
        change(config, f"update marts.fct_usage_daily set calls = {steps}")
        is_through = False
        with suppress(Killed), warehouse_tables(config.warehouse) as built, lake.lock("test"), dying(lake, steps) as it:
            marts.publish(it, built, Keeping(DAY, DAY))
            is_through = True
        with lake.lock("next"):  # recovers
            pass
        found = {row["calls"] for row in PublishedMarts(lake).query("select calls from marts.fct_usage_daily")}
        assert found in ({steps}, {steps - 1}, {4, 5, 7})
        assert publish(config).written in ({True: (0,), False: (0, 2)}[is_through])
        assert {row["calls"] for row in both(config, "from marts.fct_usage_daily order by all")} == {steps}
        if is_through:
            return
    raise AssertionError("it never came to its end")


def test_without_a_warehouse_what_was_published_last_is_shown_and_a_build_knows_of_nothing(config: Config) -> None:
    assert open_marts(config).place == config.warehouse
    publish(config)
    built = open_marts(config).query("from marts.fct_usage_daily order by all")
    config.warehouse.unlink()
    assert repr(open_marts(config).query("from marts.fct_usage_daily order by all")) == repr(built)
    assert open_marts(config).exists()
    assert not built_marts(config).exists()
    assert built_marts(config).columns() == {}
    assert publish(config).removed == 0  # nothing is taken away because the warehouse was lost
    assert read_published(config.open_lake().backend)


def test_without_anything_the_error_says_what_to_run(config: Config) -> None:
    config.warehouse.unlink()
    with pytest.raises(RunError, match="no warehouse yet; `genchi transform` builds it"):
        open_marts(config).query("from marts.fct_usage_daily")
    with pytest.raises(RunError, match="no marts yet; `genchi transform` builds and publishes them"):
        PublishedMarts(config.open_lake()).query("from marts.fct_usage_daily")

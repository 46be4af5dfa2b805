"""Tables as large as the texts: days in the lake, replaced all at once, expired, and known whatever was killed."""

from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.config import Config, load_config
from flows.errors import RunError
from flows.export import publish_marts
from flows.lake import Lake
from flows.marts import PublishedMarts, expire_days, lake_tables, parts_there, replace_days
from flows.transform import expiry
from tests.publishing import Killed, dying

TABLE = "intermediate.int_text_features"
COLUMNS = {"day": "DATE", "subject_id": "VARCHAR", "words": "BIGINT"}
MONDAY, TUESDAY, WEDNESDAY = (date(2026, 3, n) for n in (2, 3, 4))


@pytest.fixture(params=["lake", "a [strange] lake's"])
def config(tmp_path: Path, request: pytest.FixtureRequest) -> Config:
    (tmp_path / "genchi.yaml").write_text(f'app: a\nlake: "{request.param}"\nretention: {{warehouse_days: 40d}}\n')
    return load_config(tmp_path / "genchi.yaml", {})


def written(config: Config, rows: list[tuple[Any, ...]], columns: dict[str, str]) -> Path:
    """A folder with these rows, as a build writes them."""
    folder = config.path.parent / "scratch" / "some"
    folder.parent.mkdir(exist_ok=True)
    names = [f"c{n}" for n in range(len(columns))]
    typed = ", ".join(f"{given}::{kind} as {name}" for given, (name, kind) in zip(names, columns.items(), strict=True))
    literals = ", ".join(str(tuple(str(one) for one in row)) for row in rows)
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select {typed} from (values {literals}) as given({', '.join(names)})) to '{folder}'"
            " (format parquet, partition_by (day), write_partition_columns true, overwrite true)"
        )
    return folder


def store(
    config: Config,
    rows: list[tuple[Any, ...]],
    columns: dict[str, str] = COLUMNS,
    asked: tuple[date, date] | None = None,
) -> None:
    """Let rows replace those of the lake, as a build does."""
    with config.open_lake().lock("test"):
        replace_days(config.open_lake(), TABLE, columns, written(config, rows, columns), asked)


def there(config: Config, sql: str = f"from {TABLE} order by all") -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in PublishedMarts(config.open_lake()).query(sql)]


def test_only_the_days_that_were_written_are_replaced(config: Config) -> None:
    store(config, [(MONDAY, "a", 1), (MONDAY, "b", 2), (TUESDAY, "c", 3)])
    store(config, [(TUESDAY, "d", 4), (WEDNESDAY, "e", 5)], asked=(TUESDAY, WEDNESDAY))
    assert there(config) == [(MONDAY, "a", 1), (MONDAY, "b", 2), (TUESDAY, "d", 4), (WEDNESDAY, "e", 5)]
    assert {day: part.rows for day, part in lake_tables(config.open_lake().backend)[TABLE].parts.items()} == {
        "2026-03-02": 2, "2026-03-03": 1, "2026-03-04": 1,
    }  # fmt: skip
    assert not list(Path(config.lake).glob("_staging/*"))


def test_a_day_that_is_asked_for_and_has_no_rows_any_more_has_no_file(config: Config) -> None:
    store(config, [(MONDAY, "a", 1), (TUESDAY, "c", 3)])
    store(config, [(MONDAY, "b", 1)], asked=(MONDAY, TUESDAY))
    assert there(config) == [(MONDAY, "b", 1)]
    assert not (Path(config.lake) / "intermediate" / "int_text_features" / "day=2026-03-03" / "data.parquet").exists()


def test_days_of_other_columns_are_read_by_name_until_all_are_written_anew(config: Config) -> None:
    store(config, [(MONDAY, "a", 1), (TUESDAY, "b", 2)])
    newer = {"subject_id": "VARCHAR", "day": "DATE", "characters": "BIGINT"}
    store(config, [("c", TUESDAY, 30)], newer)
    assert lake_tables(config.open_lake().backend)[TABLE].is_uneven
    assert there(config, f"select day, subject_id, characters from {TABLE} order by all") == [
        (MONDAY, "a", None), (TUESDAY, "c", 30),
    ]  # fmt: skip
    assert list(PublishedMarts(config.open_lake()).query(f"from {TABLE}")[0]) == list(newer)  # words is no more
    store(config, [("d", MONDAY, 40)], newer)
    assert not lake_tables(config.open_lake().backend)[TABLE].is_uneven
    assert there(config) == [("c", TUESDAY, 30), ("d", MONDAY, 40)]


def test_two_files_of_a_day_are_an_error_that_changes_nothing(config: Config) -> None:
    store(config, [(MONDAY, "a", 1)])
    folder = config.path.parent / "scratch" / "two"
    (folder / "day=2026-03-02").mkdir(parents=True)
    for name in ("data_0.parquet", "data_1.parquet"):
        (folder / "day=2026-03-02" / name).touch()
    with config.open_lake().lock("test"), pytest.raises(RunError, match="two files of one day"):
        replace_days(config.open_lake(), TABLE, COLUMNS, folder)
    assert there(config) == [(MONDAY, "a", 1)]


def test_a_publication_of_marts_leaves_them_and_what_it_notes_of_them(config: Config) -> None:
    store(config, [(MONDAY, "a", 1)])
    before = lake_tables(config.open_lake().backend)
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute("create schema marts; create table marts.fct_usage_daily as select date '2026-03-02' as day")
    for _ in range(2):
        with config.open_lake().lock("test"):
            publish_marts(config, MONDAY, MONDAY)
        assert lake_tables(config.open_lake().backend) == before
        assert there(config) == [(MONDAY, "a", 1)]
    assert ("marts.fct_usage_daily", "2026-03-02") in set(parts_there(config.open_lake().backend))


def test_days_that_are_too_old_go(config: Config) -> None:
    store(config, [(MONDAY, "a", 1), (TUESDAY, "b", 2), (TUESDAY, "c", 2)])
    lake = config.open_lake()
    night = date(2026, 4, 8)  # 36 days after Tuesday
    assert expiry.is_due(config, night)
    with lake.lock("test"):
        assert expiry.expire(config, night).rows == 1
        assert not expiry.is_due(config, night)
        assert expire_days(lake, lambda _: None, is_dry=False) == 0
    assert there(config) == [(TUESDAY, "b", 2), (TUESDAY, "c", 2)]
    assert [day for _, day in parts_there(lake.backend)] == ["2026-03-03"]


def test_a_kill_at_any_step_leaves_old_or_new_days_and_none_that_is_not_known(config: Config) -> None:
    old, new = [(MONDAY, "a", 1), (TUESDAY, "b", 2)], [("c", MONDAY, 30), ("d", WEDNESDAY, 40)]
    newer = {"subject_id": "VARCHAR", "day": "DATE", "characters": "BIGINT"}
    found, lake = set(), config.open_lake()
    for steps in range(100):
        store(config, old, asked=(MONDAY, WEDNESDAY))
        is_through = False
        with suppress(Killed), lake.lock("test"), dying(lake, steps) as mortal:
            replace_days(mortal, TABLE, newer, written(config, new, newer), (MONDAY, WEDNESDAY))
            is_through = True
        with lake.lock("next"):  # recovers
            pass
        rows = there(config, f"select day, subject_id from {TABLE} order by all")
        assert rows in ([(MONDAY, "a"), (TUESDAY, "b")], [(MONDAY, "c"), (WEDNESDAY, "d")])
        files = {path.parent.name for path in Path(config.lake).glob("intermediate/*/day=*/data.parquet")}
        assert {f"day={day}" for _, day in parts_there(lake.backend)} == files
        found.add(rows[0][1])
        if is_through:
            assert found == {"a", "c"}
            assert there(config) == new
            return
    raise AssertionError("it never came to its end")


def test_a_lake_without_them_has_none(config: Config) -> None:
    assert lake_tables(Lake(config.lake).backend) == {}

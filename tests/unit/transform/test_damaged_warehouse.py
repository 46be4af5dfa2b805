"""A warehouse that cannot be read is put aside and built anew; a file of the lake that cannot be read is named."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from flows import progress
from flows.config.load import Config
from flows.errors import RunError
from flows.lake.lake import from_rows
from flows.transform.build import build, migrate
from flows.warehouse import damage_of, query

pytestmark = pytest.mark.long  # builds warehouses

DAYS = [date(2026, 3, 1) + timedelta(days=n) for n in range(3)]
USAGE = "select day, route, calls from marts.fct_usage_daily order by all"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("workspace")
    config = Config(path=folder / "genchi.yaml", app="a", lake=folder / "lake", warehouse=folder / "warehouse.duckdb")
    for day in DAYS:
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        calls = [{"call_id": f"{day}-{n}", "route": "r", "started_at": at, "status": "success"} for n in range(3)]
        config.open_lake().write("interactions", day, from_rows(calls, "interactions"))
    build(config, DAYS[0], DAYS[-1])
    return config


def cut(warehouse: Path) -> None:
    warehouse.write_bytes(warehouse.read_bytes()[: warehouse.stat().st_size // 2])


def replaced_by_text(warehouse: Path) -> None:
    warehouse.write_text("not a database")


def flipped(warehouse: Path) -> None:
    content = bytearray(warehouse.read_bytes())
    content[20_000:] = bytes(byte ^ 255 for byte in content[20_000:])
    warehouse.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, replaced_by_text, flipped])
def test_a_damaged_warehouse_is_kept_aside_and_built_anew_for_all_days(
    config: Config, damage: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(progress, "tell", told.append)
    before = query(config.warehouse, USAGE)
    damage(config.warehouse)
    damaged = config.warehouse.read_bytes()
    build(config, DAYS[-1], DAYS[-1])
    assert query(config.warehouse, USAGE) == before
    assert config.warehouse.with_name("warehouse.duckdb.damaged").read_bytes() == damaged
    (line,) = told
    assert line.startswith(f"{config.warehouse} is damaged (")
    assert "it is kept as warehouse.duckdb.damaged and built anew from the lake for 2026-03-01 to 2026-03-03" in line


def test_who_only_reads_a_damaged_warehouse_is_told_its_mend(config: Config, tmp_path: Path) -> None:
    copy = tmp_path / "warehouse.duckdb"
    copy.write_bytes(config.warehouse.read_bytes()[:-1000])
    replaced_by_text(copy)
    with pytest.raises(RunError, match=r"warehouse\.duckdb: cannot be opened: .*valid DuckDB database"):
        query(copy, USAGE)
    with pytest.raises(RunError, match="`genchi transform` builds it anew from the lake"):
        migrate(config.model_copy(update={"warehouse": copy}))


def test_a_warehouse_that_another_process_holds_is_not_damaged(config: Config) -> None:
    with duckdb.connect(str(config.warehouse)):
        assert damage_of(config.warehouse) == ""
    assert damage_of(config.warehouse.with_name("none.duckdb")) == ""


def test_a_corrupt_file_of_the_lake_is_named_where_the_build_fails(config: Config) -> None:
    place = Path(config.open_lake().partition("interactions", DAYS[1]))
    whole = place.read_bytes()
    for content in (b"", whole[:-30], whole[:200]):
        place.write_bytes(content)
        with pytest.raises(RunError) as caught:
            build(config, DAYS[-1], DAYS[-1])
        assert f"{place}: the file has changed" in str(caught.value)
        assert "delete it and run `genchi ingest --day 2026-03-02`" in str(caught.value)
    place.write_bytes(whole)
    build(config, DAYS[-1], DAYS[-1])

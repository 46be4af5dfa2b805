"""A reader of the lake sees the old file or the new one, and never half of either."""

from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from flows.lake import lake
from flows.lake.lake import SCHEMAS, Lake

DAY = date(2026, 3, 2)


def test_what_is_written_is_read_in_the_types_of_the_contract(tmp_path: Path) -> None:
    store = Lake(tmp_path)
    at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    store.write(
        "interactions", DAY, lake.from_rows([{"call_id": "a", "started_at": at, "cost_usd": 1.5}], "interactions")
    )
    (row,) = store.read("interactions", DAY).to_pylist()
    assert (row["call_id"], row["started_at"], row["cost_usd"], row["route"]) == ("a", at, 1.5, None)
    found = duckdb.sql(f"select day, call_id, started_at from '{tmp_path}/interactions/*/*.parquet'")
    assert [str(kind) for kind in found.types] == ["DATE", "VARCHAR", "TIMESTAMP WITH TIME ZONE"]


def test_a_write_that_dies_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Lake(tmp_path)
    store.write("manifest", DAY, lake.from_rows([{"source": "old"}], "manifest"))

    def die(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(lake.pq, "write_table", die)
    with pytest.raises(OSError, match="full"):
        store.write("manifest", DAY, lake.from_rows([{"source": "new"}], "manifest"))
    monkeypatch.undo()
    assert store.read("manifest", DAY).column("source").to_pylist() == ["old"]
    assert [path.name for path in store.partition("manifest", DAY).parent.iterdir()] == ["data.parquet"]


def test_what_a_killed_writer_left_behind_is_never_read(tmp_path: Path) -> None:
    store = Lake(tmp_path)
    place = store.write("manifest", DAY, lake.from_rows([{"source": "a"}], "manifest"))
    place.with_suffix(".4711.tmp").write_bytes(b"PAR1 half a file")
    assert store.files("manifest", DAY) == [place]
    assert duckdb.sql(f"select count(*) from '{tmp_path}/manifest/*/*.parquet'").fetchall() == [(1,)]


def test_a_new_lake_has_every_table_and_no_rows(tmp_path: Path) -> None:
    store = Lake(tmp_path)
    store.create()
    for table, schema in SCHEMAS.items():
        found = duckdb.sql(f"select * exclude (day) from read_parquet('{tmp_path}/{table}/day=*/*.parquet')")
        assert found.columns == schema.names
        assert found.fetchall() == []
        assert store.days(table) == []


def test_a_column_that_the_table_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="colour"):
        Lake(tmp_path).write("manifest", DAY, pa.table({"colour": ["red"]}))
    with pytest.raises(KeyError, match="no table"):
        Lake(tmp_path).partition("interaction", DAY)


def test_some_columns_are_read_in_their_order_and_those_that_a_file_lacks_are_null(tmp_path: Path) -> None:
    store = Lake(tmp_path)
    place = store.partition("manifest", DAY)
    assert isinstance(place, Path)
    place.parent.mkdir(parents=True)
    lake.pq.write_table(pa.table({"source": ["a"], "bytes": pa.array([1], pa.int32())}), place)
    found = store.read("manifest", DAY, columns=["records", "source"])
    assert found.schema == pa.schema([SCHEMAS["manifest"].field(name) for name in ("records", "source")])
    assert found.to_pylist() == [{"records": None, "source": "a"}]
    assert store.read("manifest", date(2026, 3, 3), columns=["source"]).schema.names == ["source"]


def test_a_lake_of_before_a_column_gets_it_and_one_that_has_all_is_left_alone(tmp_path: Path) -> None:
    store = Lake(tmp_path)
    store.create()
    older = SCHEMAS["scores"].remove(0)
    place = store.partition("scores", date(1970, 1, 1), "empty")
    lake.pq.write_table(older.empty_table(), place)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("empty.parquet")}
    store.create()
    changed = {path for path, moment in before.items() if path.stat().st_mtime_ns != moment}
    assert changed == {place}
    columns = duckdb.sql(f"select * from '{tmp_path}/scores/*/*.parquet'").columns
    assert set(SCHEMAS["scores"].names) <= set(columns)

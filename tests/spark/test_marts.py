"""The nights of the demo, built on Spark and on DuckDB: the same marts."""

from pathlib import Path

import duckdb
import pytest

from flows.config import load_config
from flows.marts import open_marts
from tests.spark.commands import genchi
from tests.spark.comparing import differences

pytest.importorskip("pyspark")
pytestmark = [pytest.mark.spark, pytest.mark.timeout(5400)]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, remote: str) -> Path:
    """The demo, whose nights are built once more on Spark (`spark.yaml`) and on DuckDB (`duckdb.yaml`)."""
    folder = tmp_path_factory.mktemp("marts")
    genchi(folder, "demo")
    written = (folder / "demo" / "genchi.yaml").read_text("utf-8")
    engines = {"spark": f'engine: {{warehouse: spark, remote: "{remote}"}}\nwarehouse: none.duckdb\n', "duckdb": ""}
    for name, engine in engines.items():
        (folder / "demo" / f"{name}.yaml").write_text(
            f"{written}\n{engine or 'warehouse: reference.duckdb'}\n", encoding="utf-8"
        )
    days = sorted(path.name.removeprefix("day=") for path in (folder / "demo" / "lake" / "interactions").glob("day=2*"))
    for name in ("duckdb", "spark"):
        genchi(
            folder / "demo", "backfill", "--config", f"{name}.yaml", "--start", days[0], "--end", days[-1],
            "--only", "transform", "--force", "--pages", "1",
        )  # fmt: skip
    return folder / "demo"


def test_every_mart_is_the_same_on_both_engines(workspace: Path) -> None:
    published = open_marts(load_config(workspace / "spark.yaml"))
    with duckdb.connect(str(workspace / "reference.duckdb"), read_only=True) as reference:
        reference.execute("set timezone = 'UTC'")
        names = [
            row[0]
            for row in reference.execute(
                "select table_name from duckdb_tables() where schema_name = 'marts'"
            ).fetchall()
        ]
        assert len(names) > 25
        assert sorted(published.columns()) == sorted(names)
        unlike = {}
        for name in names:
            ours = reference.sql(f"select * from marts.{name}").to_arrow_table().to_pylist()
            if found := differences(ours, published.query(f"select * from marts.{name}")):
                unlike[name] = found[:3]
    assert unlike == {}

"""Days of Spark's tables: filled by builds in this process, emptied, and expired; and what a workspace adds to them."""

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest

from flows.config import Config, load_config
from flows.errors import RunError
from flows.ingest.landing import land_days
from flows.lake import SCHEMAS
from flows.marts import lake_tables, open_marts, select_published
from flows.project import ROOT
from flows.transform.build import days_of_build, variables
from flows.transform.dbt_runner import run_dbt
from flows.transform.expiry import expire, is_due
from flows.transform.spark_build import publish_built
from flows.transform.spark_session import session_of
from flows.transform.workspace_models import build_workspace
from tests.spark.comparing import differences

pytest.importorskip("pyspark")
pytestmark = [pytest.mark.spark, pytest.mark.timeout(3600)]

EXAMPLE = ROOT / "tests" / "examples" / "workspace"
BEFORE, DAY = date(2026, 3, 3), date(2026, 3, 4)
TABLES = ("intermediate.int_text_features", "intermediate.int_pair_features", "marts.fct_usage_daily")
# What these tables are built of, and Python models, which have no rows here.
SELECT = "+int_text_features +int_pair_features fct_usage_daily +int_label_rates +int_judge_alignment"
KEYS = {"cluster_key", "text_hash"}  # hashes, which are other numbers on each engine


@dataclass(frozen=True)
class Workspace:
    """The example in a folder, with a genchi.yaml for each engine on one lake."""

    folder: Path
    remote: str

    def config(self, more: str = "") -> Config:
        """The configuration on Spark, with more lines."""
        return self._written("spark", f'engine: {{warehouse: spark, remote: "{self.remote}"}}\n{more}')

    def on_duckdb(self) -> Config:
        """The same on DuckDB."""
        return self._written("duckdb", "warehouse: reference.duckdb\n")

    def _written(self, name: str, more: str) -> Config:
        place = self.folder / f"{name}.yaml"
        place.write_text((self.folder / "genchi.yaml").read_text("utf-8") + more, encoding="utf-8")
        return load_config(place)

    def count(self, table: str, day: date) -> int:
        """How many rows Spark's table has of a day."""
        with session_of(self.config()) as session:
            return int(session.sql(f"select count(*) from {table} where day = date '{day}'").collect()[0][0])


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, remote: str) -> Workspace:
    """Two days, built on both engines."""
    found = Workspace(tmp_path_factory.mktemp("days") / "desk", remote)
    shutil.copytree(EXAMPLE, found.folder)
    land_days(found.on_duckdb(), BEFORE, DAY)
    found.on_duckdb().open_lake().create()
    for config in (found.on_duckdb(), found.config()):
        run(config, "seed", "features")
        run(config, "run", SELECT)
    return found


def run(config: Config, verb: str, select: str) -> None:
    """A command of dbt on these nodes, for both days: tests of the project would ask for all its tables."""
    run_dbt(config, [verb, "--select", select], variables(config), days_of_build(BEFORE, DAY))


def test_the_workspaces_own_features_and_all_others_are_the_same(workspace: Workspace) -> None:
    unlike, lake = {}, workspace.on_duckdb().open_lake()
    with (
        session_of(workspace.config()) as session,
        duckdb.connect(str(workspace.folder / "reference.duckdb"), read_only=True) as reference,
    ):
        for table in TABLES:
            # DuckDB has the features of texts as files of the lake.
            of_lake = lake_tables(lake.backend).get(table)
            rows = f"({select_published(lake.backend, table, of_lake)})" if of_lake else table
            names = ", ".join(sorted(set(reference.sql(f"select * from {rows} limit 0").columns) - KEYS))
            ours = reference.sql(f"select {names} from {rows}").to_arrow_table().to_pylist()
            assert len(ours) > 1
            if found := differences(ours, session.sql(f"select {names} from {table}").toArrow().to_pylist()):
                unlike[table] = found[:3]
            if table == TABLES[0]:
                assert {True, False} == {row["greets"] for row in ours} - {None}
                assert any(row["digit_count"] for row in ours)
    assert unlike == {}


def test_what_is_only_duckdbs_in_a_model_of_the_workspace_is_named(workspace: Workspace) -> None:
    for model in (workspace.folder / "dbt" / "models").glob("desk*"):
        model.unlink()
    for test in (workspace.folder / "dbt" / "tests").glob("*"):
        test.unlink()
    (workspace.folder / "dbt" / "models" / "desk_wrong.sql").write_text("select list_sort([3, 1]) as numbers\n")
    with pytest.raises(RunError, match=r"dbt/models/desk_wrong\.sql: .*on Spark: .*dispatches") as caught:
        build_workspace(workspace.config(), DAY, DAY)
    assert "\n" not in str(caught.value)


def test_a_day_that_is_built_again_is_replaced_and_the_other_days_stay(workspace: Workspace) -> None:
    places = [(table, day) for table in TABLES for day in (BEFORE, DAY)]
    before = {place: workspace.count(*place) for place in places}
    assert all(before.values())
    again = " ".join(table.partition(".")[2] for table in TABLES)
    run_dbt(workspace.config(), ["run", "--select", again], variables(workspace.config()), days_of_build(DAY, DAY))
    assert {place: workspace.count(*place) for place in places} == before


def test_a_day_that_has_no_calls_any_more_is_emptied(workspace: Workspace) -> None:
    assert all(workspace.count(table, DAY) for table in TABLES)
    lake = workspace.config().open_lake()
    with lake.lock("test"):
        for table in SCHEMAS:
            for file in lake.names(table, DAY):
                lake.remove(table, DAY, file)
        run(workspace.config(), "run", " ".join(table.partition(".")[2] for table in TABLES))
        publish_built(workspace.config(), DAY, DAY)
    assert {table: workspace.count(table, DAY) for table in TABLES} == dict.fromkeys(TABLES, 0)
    assert workspace.count("marts.fct_usage_daily", BEFORE)
    days = open_marts(workspace.config()).query("select distinct day from marts.fct_usage_daily")
    assert [row["day"] for row in days] == [BEFORE]


def test_old_days_leave_the_tables(workspace: Workspace) -> None:
    config = workspace.config("window_days: 1\nretention: {warehouse_days: 12d}\n")
    calls, numbers, whole = "intermediate.int_text_features", "marts.fct_usage_daily", "intermediate.int_of_all_days"
    assert all(workspace.count(table, BEFORE) for table in (calls, numbers))
    # A table that is not by day is computed anew by each build: it keeps its rows, and is no reason to expire.
    with session_of(workspace.config()) as session:
        session.sql(f"create table {whole} as select date '{BEFORE}' as day")
    # Calls are kept for 9 days, numbers for 12.
    for night, are_numbers_left in ((date(2026, 3, 13), True), (date(2026, 3, 16), False)):
        assert is_due(config, night)
        assert expire(config, night).days
        assert not is_due(config, night)
        assert workspace.count(calls, BEFORE) == 0
        assert bool(workspace.count(numbers, BEFORE)) is are_numbers_left
    assert workspace.count(whole, BEFORE) == 1


def test_another_lake_has_no_warehouse_on_the_same_server(workspace: Workspace) -> None:
    place = workspace.folder / "other.yaml"
    place.write_text(
        f'app: other\nlake: other\nengine: {{warehouse: spark, remote: "{workspace.remote}"}}\n', encoding="utf-8"
    )
    with pytest.raises(RunError, match=f"has the warehouse of the lake {workspace.folder / 'lake'}; name a server"):
        run(load_config(place), "seed", "features")

"""What a build leaves out would have had the same rows; and a key is tested where its table is built."""

import json
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pytest

from flows.config.load import Config
from flows.errors import RunError
from flows.lake import lake
from flows.lake.lake import Lake
from flows.transform.build import build, variables
from flows.transform.built_before import TABLES, has_traffic_alone, project_of
from flows.transform.dbt_command import run_command
from flows.warehouse import query

DAY = date(2026, 3, 4)
AT = datetime(2026, 3, 4, 12, tzinfo=UTC)

pytestmark = pytest.mark.long  # builds a warehouse


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    root = tmp_path_factory.mktemp("built")
    settings = Config(
        path=root / "genchi.yaml", app="t", lake=root / "lake", warehouse=root / "lake" / "warehouse.duckdb"
    )
    rows = [
        {"call_id": str(n), "route": "r", "input_text": f"Where is parcel {n}?", "output_text": "It is on its way.",
         "started_at": AT, "status": "success"}
        for n in range(20)
    ]  # fmt: skip
    Lake(settings.lake).write("interactions", DAY, lake.from_rows(rows, "interactions"))
    return settings


def contents(config: Config) -> dict[str, list[dict[str, Any]]]:
    named = "select schema_name || '.' || table_name as name from duckdb_tables() where schema_name <> 'meta'"
    return {
        row["name"]: query(config.warehouse, f"from {row['name']} order by all")
        for row in query(config.warehouse, named)
    }


def test_the_second_build_leaves_out_what_cannot_have_changed_and_leaves_the_same_rows(config: Config) -> None:
    first = build(config, DAY, DAY)
    whole = contents(config)
    assert {name for name, rows in whole.items() if not rows} >= set(TABLES)
    again = build(config, DAY, DAY)
    assert (first.seeds, again.seeds) == (3, 0)
    assert first.models - again.models == len(TABLES)
    assert contents(config) == whole


def test_a_key_that_is_not_one_fails_the_build_of_its_table_and_leaves_it_as_it_was(config: Config) -> None:
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute(
            f"insert into marts.fct_usage_daily select * replace (date '{DAY}' - 1 as day) from marts.fct_usage_daily"
        )
        connection.execute(f"insert into marts.fct_usage_daily from marts.fct_usage_daily where day < date '{DAY}'")
    before = contents(config)["marts.fct_usage_daily"]
    with pytest.raises(RunError, match=r"the model fct_usage_daily failed: .*two rows have the same key"):
        build(config, DAY, DAY)
    assert contents(config)["marts.fct_usage_daily"] == before
    results = config.state / "_dbt" / "target" / "run_results.json"
    failed = {row["unique_id"] for row in json.loads(results.read_bytes())["results"] if row["status"] == "error"}
    assert failed == {"model.genchi.fct_usage_daily"}
    with duckdb.connect(str(config.warehouse)) as connection:
        connection.execute(f"delete from marts.fct_usage_daily where day < date '{DAY}'")
    assert run_command(config, ["retry"], DAY, DAY, {})
    ran = {row["unique_id"] for row in json.loads(results.read_bytes())["results"]}
    assert "model.genchi.fct_usage_daily" in ran
    assert "model.genchi.int_texts" not in ran
    build(config, DAY, DAY)
    assert not results.exists()


def test_labels_evaluations_and_another_project_make_a_build_a_whole_one(config: Config) -> None:
    known = variables(config)
    assert has_traffic_alone(config, project_of(known))
    assert not has_traffic_alone(config, project_of({**known, "risk": "strict"}))
    row = {"subject": "interaction", "subject_id": "1", "criterion": "polite", "route": "r", "passed": True}
    Lake(config.lake).write("scores", DAY, lake.from_rows([row], "scores"))
    assert not has_traffic_alone(config, project_of(known))

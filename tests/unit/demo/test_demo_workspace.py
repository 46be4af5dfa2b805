"""The demo's workspace can be used as any other, and never takes the place of somebody's work."""

import gzip
import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from jsonschema import Draft202012Validator

from flows.config import load
from flows.demo import verify
from flows.demo.workspace import MARKER, write_workspace
from flows.errors import ConfigError, RunError
from flows.evaluate.criteria import criteria_file

LAST_DAY = date(2026, 3, 31)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_workspace(folder, LAST_DAY)
    return folder


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_it_loads_as_a_configuration(workspace: Path):
    loaded = load.load_config(workspace / "genchi.yaml", environment={})
    assert [model.name for model in loaded.all_models()] == ["simulated/support-desk-1", "simulated/support-desk-2"]
    assert list(loaded.evaluated_routes()) == ["triage"]


def test_its_criteria_load(workspace: Path):
    loaded = criteria_file.load_criteria(
        workspace / "expectations/criteria/triage.yaml", workspace, workspace / "schemas/triage.json"
    )
    assert [criterion.definition.name for criterion in loaded] == ["valid_triage", "right_category", "short_reply"]


def test_it_has_a_log_for_each_of_thirty_days(workspace: Path):
    logs = sorted((workspace / "logs").glob("*/gateway.jsonl.gz"))
    assert [log.parent.name for log in logs][:: len(logs) - 1] == ["2026-03-02", "2026-03-31"]
    assert len(logs) == 30
    assert len(gzip.decompress(logs[0].read_bytes()).splitlines()) > 300


def test_its_examples_have_productions_shares_and_answers_that_fulfil_the_schema(workspace: Path):
    holdout, dev = rows_of(workspace / "holdouts/triage.jsonl"), rows_of(workspace / "datasets/dev.jsonl")
    validator = Draft202012Validator(json.loads((workspace / "schemas/triage.json").read_text()))
    assert len({row["example_id"] for row in holdout}) == len(holdout) == 300
    assert sum(row["tags"]["language"] == "de" for row in holdout) == 43
    assert all(validator.is_valid(row["expected"]) for row in dev)


def test_writing_it_again_replaces_it_and_what_nights_made_of_it(tmp_path: Path):
    write_workspace(tmp_path, date(2026, 2, 27), days=2)
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "old.parquet").touch()
    (tmp_path / "notes.txt").write_text("mine")
    write_workspace(tmp_path, LAST_DAY, days=1)
    assert not (tmp_path / "lake").exists()
    assert [folder.name for folder in (tmp_path / "logs").iterdir()] == ["2026-03-31"]
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path):
    (tmp_path / "genchi.yaml").write_text("app: mine\n")
    with pytest.raises(ConfigError, match="not empty, and not a demo"):
        write_workspace(tmp_path, LAST_DAY)
    assert [path.name for path in tmp_path.iterdir()] == ["genchi.yaml"]
    assert (tmp_path / "genchi.yaml").read_text() == "app: mine\n"


def test_a_file_is_no_folder_for_a_demo(tmp_path: Path):
    (tmp_path / "demo").write_text("a file")
    with pytest.raises(ConfigError, match="is a file"):
        write_workspace(tmp_path / "demo", LAST_DAY)


def test_a_link_in_a_demo_is_taken_away_and_not_followed(tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept.txt").touch()
    demo = tmp_path / "demo"
    demo.mkdir()
    (demo / MARKER).touch()
    (demo / "lake").symlink_to(elsewhere)
    write_workspace(demo, LAST_DAY, days=1)
    assert (elsewhere / "kept.txt").exists()
    assert not (demo / "lake").exists()


OBJECTS = ("2026-03-21", "drift", "triage/output/json_is_object", "60 % of outputs are a JSON object.")
LISTS = ("2026-03-21", "drift", "triage/output/json_is_list", "40 % of outputs are a JSON list.")
LOWER = ("2026-03-31", "skew", "triage/input/lower_case", "45 % of inputs have no capital letter.")
GERMAN = (
    "2026-03-31",
    "slice_worse",
    "triage/right_category/simulated/support-desk-2/language=de",
    "support-desk-2 is worse on language=de.",
)


TOPIC = ("2026-03-29", "topic", "triage/input/topic:ab-41", "Inputs about points, gift, loyalty are new.")


def with_breaches(workspace: Path, *breaches: tuple[str, str, str, str]) -> load.Config:
    loaded = load.load_config(workspace / "genchi.yaml", environment={})
    loaded.warehouse.parent.mkdir(exist_ok=True)
    loaded.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(loaded.warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.fct_breaches (day date, kind text, subject text, summary text)")
        for breach in breaches:
            connection.execute("insert into marts.fct_breaches values (?, ?, ?, ?)", list(breach))
    return loaded


def test_each_planted_incident_is_found_by_its_own_breach(workspace: Path):
    loaded = with_breaches(workspace, LISTS, OBJECTS, LOWER, GERMAN, TOPIC)
    found = verify.findings(loaded, LAST_DAY)
    assert [finding.evidence for finding in found] == [OBJECTS[3], LOWER[3], GERMAN[3], TOPIC[3]]
    assert all(finding.found for finding in found)
    assert verify.unexpected(loaded, LAST_DAY) == ()


def test_an_incident_without_a_breach_on_its_days_is_not_found(workspace: Path):
    loaded = with_breaches(workspace, ("2026-03-15", *OBJECTS[1:]), LOWER)
    found = verify.findings(loaded, LAST_DAY)
    assert [finding.found for finding in found] == [False, True, False, False]
    assert "not found" in found[0].text
    assert [breach.day for breach in verify.unexpected(loaded, LAST_DAY)] == [date(2026, 3, 15)]


def test_a_breach_that_nobody_planted_is_unexpected(workspace: Path):
    overall = ("2026-03-31", "worse", "triage/right_category/simulated/support-desk-2", "It is worse.")
    loaded = with_breaches(workspace, OBJECTS, LOWER, GERMAN, TOPIC, overall)
    assert [breach.subject for breach in verify.unexpected(loaded, LAST_DAY)] == [overall[2]]


def test_without_a_warehouse_there_is_nothing_to_verify(tmp_path: Path):
    loaded = load.load_config(write_workspace(tmp_path, LAST_DAY, days=1), environment={})
    with pytest.raises(RunError, match="no warehouse yet"):
        verify.findings(loaded, LAST_DAY)

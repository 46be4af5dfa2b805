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
    judge = load.load_config(workspace / "genchi.yaml", environment={}).judge
    loaded = criteria_file.load_criteria(
        workspace / "expectations/criteria/triage.yaml", workspace, workspace / "schemas/triage.json", judge
    )
    names = ["valid_triage", "right_category", "short_reply", "fits_the_request"]
    assert [criterion.definition.name for criterion in loaded] == names


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


def content(folder: Path) -> dict[str, bytes | None]:
    """What every file in the folder holds; None for folders."""
    return {
        str(place.relative_to(folder)): place.read_bytes() if place.is_file() else None for place in folder.rglob("*")
    }


def test_writing_it_again_replaces_it_and_what_nights_made_of_it(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
):
    write_workspace(tmp_path, date(2026, 2, 27), days=2)
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "old.parquet").touch()
    (tmp_path / "reports").mkdir()
    (tmp_path / "logs" / "half").mkdir()  # of a demo that was stopped
    (tmp_path / "genchi.yaml").write_text("app:")
    (tmp_path / "notes.txt").write_text("mine")
    write_workspace(tmp_path, LAST_DAY, days=1)
    assert not (tmp_path / "lake").exists()
    assert [folder.name for folder in (tmp_path / "logs").iterdir()] == ["2026-03-31"]
    assert (tmp_path / "notes.txt").read_text() == "mine"
    (tmp_path / "notes.txt").unlink()
    new = tmp_path_factory.mktemp("new")
    write_workspace(new, LAST_DAY, days=1)
    assert content(tmp_path) == content(new)


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


PROMPT = ("2026-03-21", "prompt_version", "prompt version v8", "Prompt version v8 changed triage.")
RELEASE = ("2026-03-31", "release", "release mobile-4.0.0", "Release mobile-4.0.0 changed triage.")
GERMAN = ("2026-03-31", "candidate", "simulated/support-desk-2", "Support-desk-2 is worse on language=de.")
OUTAGE = ("2026-03-18", "outage", "ServiceUnavailableError", "120 of 406 calls failed.")
SWAP = ("2026-03-26", "model_under_name", "support-desk-1", "Another model seems to answer as support-desk-1.")
TOPIC = ("2026-03-29", "topic", None, "People ask about points, gift, loyalty.")
ALL = (OUTAGE, PROMPT, SWAP, TOPIC, RELEASE, GERMAN)


def with_incidents(workspace: Path, *incidents: tuple[str, str, str | None, str]) -> load.Config:
    loaded = load.load_config(workspace / "genchi.yaml", environment={})
    loaded.warehouse.parent.mkdir(exist_ok=True)
    loaded.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(loaded.warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.fct_incidents (day date, cause_kind text, cause text, title text, state text)"
        )
        for incident in incidents:
            connection.execute("insert into marts.fct_incidents values (?, ?, ?, ?, 'open')", list(incident))
    return loaded


def test_each_planted_incident_is_found_by_its_cause(workspace: Path):
    loaded = with_incidents(workspace, *ALL)
    found = verify.results(loaded, LAST_DAY)
    assert [result.told.title for result in found if result.told] == [one[3] for one in ALL]
    assert all(result.found for result in found)
    assert verify.unexpected(loaded, LAST_DAY) == ()


def test_an_incident_that_is_not_told_on_its_days_is_not_found(workspace: Path):
    loaded = with_incidents(workspace, ("2026-03-15", *PROMPT[1:]), RELEASE)
    found = verify.results(loaded, LAST_DAY)
    assert [result.incident.cause for result in found if result.found] == ["mobile"]
    assert "not found" in found[0].text
    assert [told.day for told in verify.unexpected(loaded, LAST_DAY)] == [date(2026, 3, 15)]


def test_an_incident_that_nobody_planted_is_unexpected(workspace: Path):
    other = ("2026-03-31", "release", "release web-2", "Release web-2 changed triage.")
    loaded = with_incidents(workspace, *ALL, other)
    assert [told.title for told in verify.unexpected(loaded, LAST_DAY)] == [other[3]]


def test_without_a_warehouse_there_is_nothing_to_verify(tmp_path: Path):
    loaded = load.load_config(write_workspace(tmp_path, LAST_DAY, days=1), environment={})
    with pytest.raises(RunError, match="no warehouse yet"):
        verify.results(loaded, LAST_DAY)

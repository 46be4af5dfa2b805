"""A whole night of the example workspace, with its own log format, suite, criterion, embedding model and alert."""

import shutil
import subprocess
import sys
from datetime import date
from typing import Any

import pytest

from flows.config import Config, load_config
from flows.project import ROOT
from tests.examples import WORKSPACE

pytestmark = pytest.mark.long

DAY = date(2026, 3, 4)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, str]:
    """The workspace after a night in which the suite warns, and what was said."""
    folder = tmp_path_factory.mktemp("own") / "workspace"
    shutil.copytree(WORKSPACE, folder)
    suite = folder / "expectations" / "usage.py"
    suite.write_text(suite.read_text(encoding="utf-8").replace("max_value=0.1", "max_value=-1"), encoding="utf-8")
    command = [sys.executable, "-m", "flows.cli", "nightly", "--config", str(folder / "genchi.yaml"), "--day", str(DAY)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return load_config(folder / "genchi.yaml"), ran.stderr


def rows(config: Config, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = config.open_lake().read(table, DAY).to_pylist()
    return found


def test_the_calls_of_a_format_of_its_own_are_landed(night: tuple[Config, str]) -> None:
    calls = [row for row in rows(night[0], "interactions") if row["source"] == "tickets"]
    assert {row["route"] for row in calls} == {"billing"}
    assert [row["input_text"] for row in sorted(calls, key=lambda row: row["call_id"])][:1] == [
        "Why was I charged twice?"
    ]
    assert not rows(night[0], "quarantine")


def test_its_criterion_scores_production(night: tuple[Config, str]) -> None:
    scores = {row["passed"] for row in rows(night[0], "scores") if row["criterion"] == "short"}
    assert scores == {True}


def test_its_embedding_model_makes_the_vectors(night: tuple[Config, str]) -> None:
    vectors = rows(night[0], "embeddings")
    assert {row["model"].split("#")[0] for row in vectors} == {"my_embedder.py:embed"}
    assert {len(row["vector"]) for row in vectors} == {64}


def test_its_suite_is_in_results_data_docs_page_and_alert(night: tuple[Config, str]) -> None:
    config, _ = night
    failed = [row for row in rows(config, "expectation_results") if not row["success"]]
    assert {(row["suite"], row["expectation"], row["severity"]) for row in failed} == {
        ("usage", "calls_are_fast", "warning")
    }
    pages = config.reports / str(DAY)
    assert (pages / "data_docs" / "usage.html").is_file()
    assert "took more than 2 s" in (pages / "index.html").read_text(encoding="utf-8")
    (told,) = (config.workspace / "sent.txt").read_text(encoding="utf-8").splitlines()
    assert told.startswith(f"{DAY} warning library-desk")
    assert "took more than 2 s" in told

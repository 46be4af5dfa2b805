"""The lines of a log as JSON, which a collector of logs can read."""

import io
import json
import logging
from pathlib import Path

import pytest

from flows import json_lines, progress
from flows.cli import main


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is written to stderr, with JSON asked for."""
    monkeypatch.setenv("GENCHI_LOG", "json")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(json_lines.JsonLines())
    monkeypatch.setattr(logging.getLogger("genchi"), "handlers", [handler])
    return stream


def test_a_step_is_an_object_with_its_stage_state_and_seconds(written: io.StringIO) -> None:
    with progress.step("ingest") as current:
        current.outcome = 'said "no"\nand more'
    with pytest.raises(ValueError, match="no"), progress.step("check"):
        raise ValueError("no")
    first, second = map(json.loads, written.getvalue().splitlines())
    assert (first["stage"], first["state"], first["level"]) == ("ingest", "ok", "info")
    assert first["seconds"] >= 0
    assert first["at"].endswith("+00:00")
    assert (second["stage"], second["state"]) == ("check", "failed")
    assert "no" in second["outcome"]


def test_a_line_of_a_step_under_way_is_one_too(written: io.StringIO) -> None:
    progress.tell("the night of 2026-03-02 did not run")
    assert json.loads(written.getvalue())["message"] == "the night of 2026-03-02 did not run"


@pytest.mark.parametrize("how", ["option", "variable"])
def test_an_error_is_an_object_with_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    monkeypatch.setenv("GENCHI_LOG", "json" if how == "variable" else "text")
    asked = ["--log", "json"] if how == "option" else []
    assert main(["holdout", "--config", str(tmp_path / "none.yaml"), *asked]) == 2
    error = json.loads(capsys.readouterr().err)
    assert error["level"] == "error"
    assert error["exit_code"] == 2
    assert "no such file" in error["message"]


def test_without_being_asked_lines_are_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["holdout", "--config", str(tmp_path / "none.yaml")]) == 2
    assert capsys.readouterr().err.startswith("genchi: ")

"""`genchi criteria`: lists, suggests, accepts and rejects, with errors in one line."""

from pathlib import Path

import pytest
import yaml

from flows.cli import main
from flows.evaluate.suggest import read_suggestions
from flows.lake.lake import Lake
from tests.unit.evaluate.labelling import DAY, land, workspace


def criteria(folder: Path, *arguments: str) -> int:
    return main(["criteria", *arguments, "--config", str(folder / "genchi.yaml")])


def test_a_suggestion_is_made_listed_and_accepted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = workspace(tmp_path)
    land(config, 80)
    assert criteria(tmp_path, "suggest", "--day", str(DAY)) == 0
    told = capsys.readouterr().out
    assert "r: 80 labelled answers" in told
    assert "* fails " in told
    assert "\x1b" not in told
    first, second = read_suggestions(Lake(config.lake))[:2]
    assert criteria(tmp_path, "accept", first["suggestion_id"][:6], "--as", "Ada") == 0
    assert criteria(tmp_path, "reject", second["suggestion_id"]) == 0
    assert [one["name"] for one in yaml.safe_load((tmp_path / "c.yaml").read_text())] == ["short", first["criterion"]]
    capsys.readouterr()
    assert criteria(tmp_path, "list") == 0
    listed = capsys.readouterr().out
    assert f"r/{first['criterion']}  version " in listed
    assert "not used yet, by Ada: accepted from 80 labels" in listed


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("accept",), "needs the id of a suggestion"),
        (("list", "abc"), "takes no id"),
        (("accept", "abc"), "no suggestion 'abc'"),
        (("suggest", "--route", "x"), "--route x: `routes` of"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], why: str
) -> None:
    workspace(tmp_path)
    assert criteria(tmp_path, *arguments) == 2
    told = capsys.readouterr().err
    assert why in told
    assert told.count("\n") == 1


def test_without_labels_it_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    workspace(tmp_path)
    assert criteria(tmp_path, "suggest") == 0
    assert "nothing to suggest: label answers" in capsys.readouterr().out

"""`genchi show` and `genchi breaches`: what they print of a night, for a person and as JSON."""

import json
from pathlib import Path

import pytest

from flows.cli import main
from tests.unit.report import synthetic


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    config = synthetic.night(folder)
    config.path.write_text(f"app: {config.app}\nlake: lake\n", encoding="utf-8")
    return config.path


def run(workspace: Path, *arguments: str) -> int:
    return main([*arguments, "--config", str(workspace)])


def test_show_prints_the_texts_of_a_call(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(workspace, "show", "call-0017") == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"call call-0017, {synthetic.DAY}\n  route: triage\n")
    assert "input:\n  Where is parcel 17?\n" in printed
    assert "output:\n  Sure! It is in Graz.\n" in printed


def test_show_prints_json(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(workspace, "show", "call-0017", "--day", str(synthetic.DAY), "--json") == 0
    call = json.loads(capsys.readouterr().out)
    assert (call["call_id"], call["day"], call["scores"]) == ("call-0017", str(synthetic.DAY), [])


@pytest.mark.parametrize("day", [[], ["--day", "2020-01-01"]])
def test_a_call_that_is_not_there_is_one_line(
    workspace: Path, day: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(workspace, "show", "call-1", *day) == 3
    assert capsys.readouterr().err.startswith("genchi: no call 'call-1' ")


def test_breaches_are_listed_worst_first(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(workspace, "breaches", "--day", str(synthetic.DAY)) == 0
    printed = capsys.readouterr().out.splitlines()
    severities = [line.split(",")[0] for line in printed if not line.startswith("  ")]
    assert severities == ["critical"] * 3 + ["warning"] * 4 + ["info"] * 2
    assert "  calls: call-0017, call-0203, " in "\n".join(printed)


def test_breaches_of_one_route_as_json(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(workspace, "breaches", "--day", str(synthetic.DAY), "--route", "reply", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["subject"] for row in found} == {"reply/input/calls", "reply/input/typos"}
    assert found[0]["evidence"]["route"] == "reply"


def test_a_day_without_breaches_says_so(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(workspace, "breaches", "--day", "2020-01-01") == 0
    assert capsys.readouterr().out == "no breaches on 2020-01-01\n"

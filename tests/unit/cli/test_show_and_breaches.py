"""`genchi show` and `genchi breaches`: what they print of a night, for a person and as JSON."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.cli import main
from flows.config import load_config
from flows.lake import CALL, add_tombstones, read_tombstones
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


def test_a_call_that_was_forgotten_or_is_too_old_is_told_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "genchi.yaml"
    place.write_text("app: a\nlake: lake\nretention: {interactions: 90d}\n", encoding="utf-8")
    config = load_config(place)
    lake = config.open_lake()
    with lake.lock("test"):
        stones = read_tombstones(lake, config.secret_of_user_keys(lake))
        add_tombstones(lake, stones, synthetic.DAY, datetime(2026, 4, 1, tzinfo=UTC), {CALL: {"call-gone"}})
    assert run(place, "show", "call-gone") == 3
    assert "`genchi forget` removed it" in capsys.readouterr().err
    assert run(place, "show", "call-old") == 3
    assert "calls older than 90 days are removed (`retention`)" in capsys.readouterr().err


def test_incidents_are_listed_worst_first_with_their_breaches_below(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(workspace, "breaches", "--day", str(synthetic.DAY)) == 0
    printed = capsys.readouterr().out.splitlines()
    titles = [line for line in printed if not line.startswith("  ")]
    assert [line.split(":")[0] for line in titles] == [
        "critical, night 3 since 2024-05-12",
        "warning, new",
        "warning, new",
        "info, new",
        "warning, recovered",
        "warning, settled",
        "info, part of no incident",
    ]
    assert printed[2] == "  incident: i-model"
    assert printed[3].startswith("  calls: call-0017, ")
    assert printed[4].startswith("  critical, drift triage/output/json_is_object: On triage, 61.1%")
    assert printed[6].startswith("  warning, drift triage/output/characters: ")


def test_incidents_of_one_route_as_json_with_their_breaches(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(workspace, "breaches", "--day", str(synthetic.DAY), "--route", "reply", "--json") == 0
    over, loose = json.loads(capsys.readouterr().out)
    assert (over["incident_id"], over["state"], over["breaches"]) == ("i-over", "recovered", [])
    assert loose["incident_id"] is None
    assert {row["subject"] for row in loose["breaches"]} == {"reply/input/calls", "reply/input/typos"}
    assert run(workspace, "breaches", "--day", str(synthetic.DAY), "--route", "triage", "--json") == 0
    worst = json.loads(capsys.readouterr().out)[0]
    assert (worst["cause_kind"], worst["routes"], len(worst["breaches"])) == ("model_under_name", ["triage"], 3)
    assert worst["breaches"][0]["evidence"]["value_current"] == 0.611


def test_a_day_without_incidents_says_so(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(workspace, "breaches", "--day", "2020-01-01") == 0
    assert capsys.readouterr().out == "no incidents on 2020-01-01\n"

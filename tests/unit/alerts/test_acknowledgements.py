"""An acknowledged incident is listed with who and why, and is not repeated; what gets worse is."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows import acknowledgements
from flows.acknowledgements import Acknowledgement
from flows.alerts import digest as digests
from flows.alerts import plain_text, send_digest
from flows.alerts.digest import Digest
from flows.alerts.flow import AlertResult
from flows.alerts.notifiers import Delivered, fingerprint
from flows.cli import main
from flows.config import Config, load_config
from flows.lake import Lake, from_rows
from flows.report.page import write_report
from tests.unit.alerts.receivers import WebServer, serving
from tests.unit.alerts.test_alerts import DAY, configured, going_on, row
from tests.unit.report import synthetic

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def write(config: Config, day: date, *rows: dict[str, Any]) -> None:
    with config.open_lake().lock("test"):
        config.open_lake().write("expectation_results", day, from_rows(rows, "expectation_results"))


def acknowledge(config: Config, incident: str, until: date | None = None, at: datetime = AT, by: str = "ana") -> None:
    with config.open_lake().lock("test"):
        found = Acknowledgement(incident, by, at, "known,\nfixed on Monday", until)
        acknowledgements.add(config.open_lake(), at.date(), found)


def told(config: Config, day: date = DAY) -> Digest:
    return digests.of_night(config, day)


def test_an_acknowledged_incident_is_counted_and_not_repeated(tmp_path: Path) -> None:
    config = configured(tmp_path)
    write(config, DAY, going_on(subject="i-1"), row("warning", subject="i-2"))
    before = told(config)
    acknowledge(config, "i-1")
    after = told(config)
    assert [item.subject for item in after.items] == ["i-2"]
    assert (before.count("critical"), after.count("critical"), after.severity) == (1, 0, "warning")
    assert [item.acknowledged for item in after.acknowledged] == ["acknowledged by ana: known, fixed on Monday"]
    assert after.counts == "1 incident, 1 acknowledged"
    assert "1 acknowledged incident is not repeated." in plain_text.body(after, 3000)
    assert "Inputs fell" not in plain_text.body(after, 3000) + after.headline


def test_to_acknowledge_changes_no_digest_that_was_sent(tmp_path: Path) -> None:
    with serving(WebServer()) as server:
        config = configured(tmp_path, {"kind": "webhook", "url": f"http://{server.address}/"})
        write(config, DAY, row(subject="i-1"), row("warning", subject="i-2"))
        with config.open_lake().lock("alert"):
            assert send_digest(config, DAY) == "digest sent to 1, 0 had it already"
        acknowledge(config, "i-1")
        with config.open_lake().lock("alert"):
            assert send_digest(config, DAY) == "digest sent to 0, 1 had it already"
    assert len(server.requests) == 1


def test_a_night_with_acknowledged_incidents_alone_sends_nothing_and_wakes_nobody(tmp_path: Path) -> None:
    config = configured(tmp_path)
    write(config, DAY, row(subject="i-1"))
    acknowledge(config, "i-1")
    found = told(config)
    assert not found.is_news
    assert AlertResult(found, Delivered()).summary() == "nothing new: 1 acknowledged"


def test_the_newest_acknowledgement_counts_and_a_past_day_takes_it_back(tmp_path: Path) -> None:
    config = configured(tmp_path)
    acknowledge(config, "i-1")
    acknowledge(config, "i-1", DAY, AT + timedelta(hours=1), by="max")
    lake = config.open_lake()
    assert acknowledgements.in_force(lake, DAY)["i-1"].words.startswith("acknowledged by max until 2026-03-02: ")
    assert acknowledgements.in_force(lake, DAY + timedelta(days=1)) == {}
    acknowledge(config, "i-1", date(2000, 1, 1), AT + timedelta(hours=2))
    assert acknowledgements.in_force(lake, DAY) == {}


def test_an_incident_is_told_once_more_when_its_acknowledgement_has_ended(tmp_path: Path) -> None:
    config = configured(tmp_path)
    for days in range(4):
        write(config, DAY + timedelta(days=days), going_on(subject="i-1"))
    acknowledge(config, "i-1", DAY + timedelta(days=1))
    nights = [told(config, DAY + timedelta(days=days)) for days in range(4)]
    assert [night.is_news for night in nights] == [False, False, True, False]
    assert nights[2].headline == "desk, 2026-03-04: critical, night 4, no longer acknowledged: Inputs fell"


@pytest.mark.parametrize("is_acknowledged", [True, False])
def test_a_warning_that_becomes_critical_is_told_again_once(is_acknowledged: bool, tmp_path: Path) -> None:
    config = configured(tmp_path)
    severities = ["warning", "critical", "critical"]
    for days, severity in enumerate(severities):
        write(config, DAY + timedelta(days=days), going_on(subject="i-1") | {"severity": severity})
    if is_acknowledged:
        acknowledge(config, "i-1")
    nights = [told(config, DAY + timedelta(days=days)) for days in range(3)]
    assert [night.is_news for night in nights] == [False, True, False]
    assert nights[1].items[0].age == "night 4, critical now"


def test_hostile_names_and_notes_are_one_plain_line() -> None:
    words = Acknowledgement("i", "a\x1b[31m", AT, "line\nline\u202e").words
    assert words == r"acknowledged by a\x1b[31m: line line\u202e"


def test_a_digest_that_only_lost_what_is_acknowledged_is_the_same(tmp_path: Path) -> None:
    config = configured(tmp_path)
    write(config, DAY, row(subject="i-1"), row(subject="i-2"))
    before = fingerprint(told(config))
    acknowledge(config, "i-2")
    assert fingerprint(told(config)) == before


def test_the_page_says_who_takes_care_of_it_and_how_to(tmp_path: Path) -> None:
    config = synthetic.night(tmp_path)
    acknowledge(config, "i-model", by="ana <b>")
    html = write_report(config, synthetic.DAY).path.read_text(encoding="utf-8")
    assert "Acknowledged by ana &lt;b&gt;: known, fixed on Monday</p>" in html
    assert "genchi ack i-model<" not in html
    assert "Taking care of it? <code>genchi ack i-" in html


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = synthetic.night(tmp_path_factory.mktemp("workspace"))
    config.path.write_text(f"app: {config.app}\nlake: lake\n", encoding="utf-8")
    return config.path


def run(workspace: Path, *arguments: str) -> int:
    return main([*arguments, "--config", str(workspace)])


def test_the_verb_notes_who_and_why_and_the_list_says_it(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(workspace, "ack", "i-mod", "--by", "ana", "--note", "asked the provider", "--until", "2100-01-01") == 0
    said = capsys.readouterr().out
    assert said.startswith(
        "i-model: acknowledged by ana until 2100-01-01: asked the provider; digests do not repeat it: "
    )
    assert run(workspace, "breaches", "--day", str(synthetic.DAY)) == 0
    assert "  acknowledged by ana until 2100-01-01: asked the provider\n" in capsys.readouterr().out
    assert run(workspace, "breaches", "--day", str(synthetic.DAY), "--json") == 0
    listed = {found.get("incident_id"): found.get("acknowledged") for found in json.loads(capsys.readouterr().out)}
    assert listed["i-model"] == "acknowledged by ana until 2100-01-01: asked the provider"
    assert run(workspace, "ack", "i-model", "--until", "2000-01-01") == 0
    assert "no longer acknowledged" in capsys.readouterr().out
    assert run(workspace, "breaches", "--day", str(synthetic.DAY)) == 0
    assert "acknowledged" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("i-modle",), "no such incident; did you mean `i-model`? `genchi breaches` lists them"),
        (("i-",), "incidents begin so; give more of the id"),
        (("",), "no such incident"),
        (("i-model", "--by", " "), "--by: a name has 1 to 60 characters"),
        (("i-model", "--note", "x" * 501), "--note: has 501 characters"),
    ],
)
def test_a_wrong_acknowledgement_is_one_line_and_adds_nothing(
    arguments: tuple[str, ...], said: str, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lake = synthetic_lake(workspace)
    before = len(acknowledgements.newest(lake))
    assert run(workspace, "ack", *arguments) == 2
    assert said in capsys.readouterr().err
    assert len(acknowledgements.newest(lake)) == before


def synthetic_lake(workspace: Path) -> Lake:
    return load_config(workspace).open_lake()

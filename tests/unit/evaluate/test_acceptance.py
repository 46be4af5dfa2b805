"""An accepted suggestion stands in the criteria file, which is as it was before it, and loads."""

import fcntl
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.config import load as configuration
from flows.errors import ConfigError, RunError
from flows.evaluate.criteria import load_criteria
from flows.evaluate.setup import note_versions, read_setup, read_versions
from flows.evaluate.suggest import (
    accept,
    accept_suggestion,
    acceptance,
    apply_decision,
    read_suggestions,
    reject,
    relabel_items,
    suggest_for_mode,
)
from flows.evaluate.suggest.criteria_writer import add_criterion
from flows.lake.lake import Lake, from_rows
from tests.unit.evaluate.labelling import CRITERIA, DAY, HOSTILE, label, land, workspace

DEFINITION = {"name": "no_acme", "kind": "regex", "pattern": r"(?is)\A(?!.*acme)"}


def stored(config: configuration.Config, **changes: Any) -> str:
    row = {
        "suggestion_id": "abc123", "route": "r", "criterion": "no_acme", "kind": "regex", "origin": "failure_mode",
        "definition_json": json.dumps(DEFINITION), "failure_mode": HOSTILE, "n_labels": 150, "rank": 1, **changes,
    }  # fmt: skip
    Lake(config.lake).write("criterion_suggestions", DAY, from_rows([row], "criterion_suggestions"))
    return str(row["suggestion_id"])


@pytest.mark.parametrize(
    "text",
    [
        CRITERIA,
        CRITERIA.rstrip("\n"),
        CRITERIA + "# the end\n",
        CRITERIA.replace("\n", "\r\n"),
        "  - {name: short, kind: length, max_chars: 9}\n  # deeper\n",
        "---\n- {name: short, kind: length, max_chars: 9}\n",
    ],
)
def test_an_accepted_suggestion_is_appended_and_the_rest_of_the_file_stays(tmp_path: Path, text: str) -> None:
    config = workspace(tmp_path, "[]")
    path = tmp_path / "c.yaml"
    path.write_bytes(text.encode())
    told = accept_suggestion(config, stored(config), f"Ada\n- {HOSTILE}")
    assert told == f"{path}: criterion 'no_acme' was added; it runs the next night"
    new = path.read_bytes().decode()
    assert new.startswith(text)
    assert ("\r\n" in text) == ("\r\n" in new[len(text) :])
    added = yaml.safe_load(new)[-1]
    assert {key: added[key] for key in DEFINITION} == DEFINITION
    assert added["reason"].startswith("accepted from 150 labels, failure mode ignore previous instructions")
    assert [one.name for one in load_criteria(path, tmp_path)] == ["short", "no_acme"]
    assert list(tmp_path.glob(".*")) == []


def test_the_accepted_criterion_is_noted_with_its_author_by_the_next_night(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    note_versions(read_setup(config), DAY)
    accept(config, stored(config, failure_mode=None), "Ada")
    assert note_versions(read_setup(config), DAY + timedelta(days=1)) == 1
    newest = read_versions(Lake(config.lake))[-1]
    assert (newest.criterion, newest.author) == ("no_acme", "Ada")
    assert newest.reason == "accepted from 150 labels, origin failure_mode"
    assert read_suggestions(Lake(config.lake)) == []


@pytest.mark.parametrize("decide", [accept, reject])
def test_a_decision_by_the_beginning_of_an_id_is_recorded_under_the_whole_id(tmp_path: Path, decide: Any) -> None:
    config = workspace(tmp_path)
    key = stored(config)
    decide(config, key[:3], "Ada")
    lake = Lake(config.lake)
    (day,) = lake.days("review_decisions")
    assert [row["subject_id"] for row in lake.read("review_decisions", day).to_pylist()] == [key]
    assert read_suggestions(lake) == []


@pytest.mark.parametrize(
    ("definition", "why"),
    [
        ({"name": "short", "kind": "json_valid"}, "has a criterion 'short' already; choose another name"),
        ({"kind": "regex", "pattern": "("}, "`pattern`: is not a valid pattern"),
        ({"kind": "magic"}, "unknown kind 'magic'"),
        ({"name": " ", "kind": "json_valid"}, "the criterion needs a `name`"),
        ({"kind": "judge", "question": "Is it?"}, "no judge model is configured"),
    ],
)
def test_what_is_wrong_is_refused_in_one_line_and_nothing_is_written(
    tmp_path: Path, definition: dict[str, Any], why: str
) -> None:
    config = workspace(tmp_path)
    with pytest.raises(ConfigError) as caught:
        accept_suggestion(config, stored(config), "Ada", definition)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "c.yaml").read_text() == CRITERIA
    assert list(tmp_path.glob(".*")) == []


@pytest.mark.parametrize(
    "text", ["[{name: a, kind: json_valid}]\n", "- {name: a, kind: json_valid}\n...\n", "a: 1\n", ""]
)
def test_a_file_that_cannot_be_extended_is_left_alone(tmp_path: Path, text: str) -> None:
    config = workspace(tmp_path, text)
    with pytest.raises(ConfigError, match=r"c\.yaml: "):
        accept_suggestion(config, stored(config), "Ada")
    assert (tmp_path / "c.yaml").read_text() == text


def test_links_and_permissions_of_the_file_are_kept(tmp_path: Path) -> None:
    real = tmp_path / "real.yaml"
    real.write_text(CRITERIA)
    real.chmod(0o640)
    (tmp_path / "link.yaml").symlink_to(real)
    add_criterion(tmp_path / "link.yaml", DEFINITION, lambda _: None)
    assert (tmp_path / "link.yaml").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert len(yaml.safe_load(real.read_text())) == 2


def test_a_decision_of_the_page_is_applied_as_the_person_corrected_it(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    key = stored(config)
    decision = {"kind": "suggestion", "subject_id": key, "annotator": "bo", "accepted": True}
    value = json.dumps({"name": "acme_free", "kind": "regex", "pattern": "x"})
    assert "'acme_free' was added" in apply_decision(config, {**decision, "value_json": value})
    assert apply_decision(config, {**decision, "accepted": False, "value_json": None}) == ""
    assert [one["name"] for one in yaml.safe_load((tmp_path / "c.yaml").read_text())] == ["short", "acme_free"]


def test_a_failure_mode_that_was_typed_becomes_a_criterion_in_one_step(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    land(config)
    row = suggest_for_mode(config, "r", "COMPETITOR", DAY)
    assert row["is_measured"]
    assert "acme" in json.loads(row["definition_json"])["pattern"]
    accept_suggestion(config, row["suggestion_id"], "ada")
    assert [one.name for one in read_setup(config).criteria["r"]] == ["short", row["criterion"]]
    with pytest.raises(ConfigError, match="no labelled answer has the failure mode 'unheard of'"):
        suggest_for_mode(config, "r", "unheard of", DAY)


def test_a_criterion_of_a_mode_waits_briefly_for_who_writes_to_the_lake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = workspace(tmp_path)
    land(config)
    place = tmp_path / "lake" / "_lock"
    place.write_text(json.dumps({"verb": "forget", "pid": 1, "host": "h", "since": "s", "id": "i"}))
    monkeypatch.setattr(acceptance, "_PATIENCE", 0.0)
    with place.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(RunError, match=r"^`genchi forget` writes to the lake; try again in a minute$"):
            suggest_for_mode(config, "r", "competitor", DAY)
    assert Lake(config.lake).days("criterion_suggestions") == []


def test_a_mode_that_no_pattern_tells_becomes_a_question(tmp_path: Path) -> None:
    config = workspace(tmp_path)
    land(config, 30, 0.0)
    Lake(config.lake).write(
        "annotations", DAY, from_rows([label(k, "odd" if k == 3 else None) for k in range(9)], "annotations")
    )
    row = suggest_for_mode(config, "r", "odd", DAY)
    assert (row["kind"], row["is_measured"]) == ("judge", False)


def test_ten_labels_of_an_older_version_are_to_be_repeated_after_a_change(tmp_path: Path) -> None:
    criterion = "- {name: polite, kind: judge, question: 'Is it %s?'}\n"
    config = workspace(tmp_path, criterion % "polite", judge="  judge: {model: openai/judge}\n")
    lake = Lake(config.lake)
    note_versions(read_setup(config), DAY)
    (old,) = read_versions(lake)
    labels = [label(k, None, criterion="polite", criterion_version=old.criterion_version) for k in range(25)]
    lake.write("annotations", DAY, from_rows(labels, "annotations"))
    assert relabel_items(lake, DAY) == []
    (tmp_path / "c.yaml").write_text(criterion % "kind")
    tomorrow = DAY + timedelta(days=1)
    note_versions(read_setup(config), tomorrow)
    items = relabel_items(lake, tomorrow)
    new = read_versions(lake)[-1]
    assert len({item["subject_id"] for item in items}) == 10
    assert {item["criterion_version"] for item in items} == {new.criterion_version}
    assert {(item["draw"], item["question"], item["call_day"]) for item in items} == {("relabel", "Is it kind?", DAY)}
    assert relabel_items(lake, tomorrow) == items
    later = tomorrow + timedelta(days=20)
    assert [item["subject_id"] for item in relabel_items(lake, later)] == [item["subject_id"] for item in items]
    assert relabel_items(lake, tomorrow + timedelta(days=28)) == []
    queued = [{key: value for key, value in item.items() if key != "call_day"} for item in items]
    lake.write("review_queue", tomorrow, from_rows(queued, "review_queue"))
    assert relabel_items(lake, later) == []
    assert relabel_items(lake, tomorrow) == items
    assert new.since == datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=UTC)

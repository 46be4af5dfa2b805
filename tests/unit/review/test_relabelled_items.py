"""An answer that is judged again under a criterion's new version: a question of its own."""

from pathlib import Path
from typing import Any

from flows.review.labels import journal_of
from tests.unit.review import queued
from tests.unit.review.browsing import SCRIPT, labels, opened, sent
from tests.unit.review.labelled import config, label

AGAIN = queued.row(1, criterion_version="v2", draw="relabel")


def judged_before(workspace: Any, name: str, passed: bool, label_id: str) -> None:
    about = {name: AGAIN[name] for name in ("subject", "subject_id", "criterion")} | {"draw": "random"}
    journal_of(workspace.state).append([label(label_id, **about, annotator=name, passed=passed)])


def test_it_waits_for_who_judged_the_earlier_version_and_for_others(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    judged_before(workspace, "ada", False, "before-01")
    for name in ("ada", "bo"):
        page = opened(workspace, [AGAIN], name).get("/").text
        assert '0</span> of <span id="all">1<' in page
        assert "Take back <kbd>z</kbd>" in page
        assert "ada: fail" not in page


def test_the_new_label_is_blind_and_the_old_one_stays(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    judged_before(workspace, "ada", False, "before-01")
    client = opened(workspace, [AGAIN])
    answer = client.post("/labels", data=sent(AGAIN, "pass", "again-001"), headers=SCRIPT).json()
    assert answer["reveal"][0] == ["You", "pass"]
    old, new = labels(workspace)
    assert (old["label_id"], new["label_id"], new["retracts"]) == ("before-01", "again-001", None)
    assert (new["blind"], new["criterion_version"], new["draw"]) == (True, "v2", "relabel")
    client.post("/labels", data=sent(AGAIN, "retract", "again-002"), headers=SCRIPT)
    assert labels(workspace)[-1]["retracts"] == "again-001"


def test_verdicts_by_different_versions_neither_agree_nor_disagree(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    judged_before(workspace, "bo", False, "before-01")
    client = opened(workspace, [AGAIN])
    client.post("/labels", data=sent(AGAIN, "pass", "again-001"))
    assert "ada and bo agree" not in client.get("/").text
    assert "Answers that two people" in client.get("/disagreements").text
    assert "<article" not in client.get("/disagreements").text


def test_both_versions_can_be_in_one_queue(tmp_path: Path) -> None:
    workspace = config(tmp_path)
    client = opened(workspace, [queued.row(1), AGAIN | {"position": 2}])
    for row, label_id in ((queued.row(1), "version-1"), (AGAIN, "version-2")):
        assert client.post("/labels", data=sent(row, "pass", label_id), headers=SCRIPT).status_code == 200
    assert [(row["criterion_version"], row["draw"]) for row in labels(workspace)] == [
        ("v1", "random"),
        ("v2", "relabel"),
    ]

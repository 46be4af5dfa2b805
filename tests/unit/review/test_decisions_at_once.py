"""A suggestion is decided once, whoever decides elsewhere meanwhile."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flows.review.labels import journal_of
from tests.unit.review import queued
from tests.unit.review.browsing import opened
from tests.unit.review.labelled import config, decision
from tests.unit.review.test_decision_pages import PROPOSAL, decided, form

REJECTED = {"kind": "proposal", "subject_id": "p1", "annotator": "bo", "accepted": False}


@pytest.fixture
def workspace(tmp_path: Path) -> Any:
    made = config(tmp_path)
    queued.write_table(made, "holdout_proposals", [PROPOSAL])
    return made


@pytest.mark.parametrize("is_in_lake", [True, False])
def test_what_was_decided_elsewhere_is_not_decided_again(workspace: Any, is_in_lake: bool) -> None:
    applied: list[Any] = []
    client = opened(workspace, [queued.row(1)], apply=applied.append)
    assert 'value="p1"' in client.get("/holdout").text
    if is_in_lake:
        queued.write_table(workspace, "review_decisions", [decision("d-bo", **REJECTED).row])
    else:
        journal_of(workspace.state).append([decision("d-bo", **REJECTED)])
    answer = client.post("/decisions", data=form("proposal", "p1", "accept", "there"))
    assert (answer.status_code, "was decided by bo" in answer.text, applied) == (409, True, [])
    assert "None waits for a decision" in answer.text


def test_two_decisions_at_once_are_one(workspace: Any) -> None:
    both = threading.Barrier(2)

    def apply(_: Any) -> str:
        try:
            both.wait(0.5)
        except threading.BrokenBarrierError:
            return "Applied."
        return "Applied, as was the other one."

    client = opened(workspace, [queued.row(1)], apply=apply)

    def send(decision_id: str) -> int:
        data = form("proposal", "p1", "accept", "there", decision_id)
        return int(client.post("/decisions", data=data).status_code)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(send, ("d-1", "d-2"))) == [200, 409]
    assert len(decided(workspace)) == 1

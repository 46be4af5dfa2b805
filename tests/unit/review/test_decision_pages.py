"""The pages of suggested criteria and proposed examples: a decision is applied, recorded once, and shown no more."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from flows.errors import RunError
from flows.review.labels import journal_of, one_at_a_time
from tests.unit.review import queued
from tests.unit.review.browsing import opened
from tests.unit.review.labelled import DAY, config

DEFINITION = {"name": "short", "kind": "length", "max": 400}
SUGGESTION = {
    "suggestion_id": "s1",
    "route": "triage",
    "criterion": "short",
    "kind": "length",
    "definition_json": json.dumps(DEFINITION),
    "origin": "notes",
    "failure_mode": "too long",
    "explanation": "Nine notes say so.",
    "n_labels": 120,
    "n_failures": 31,
    "coverage": 0.74,
    "coverage_low": 0.58,
    "false_failure_rate": 0.03,
    "false_failure_high": 0.08,
    "is_measured": True,
    "is_chosen": True,
    "rank": 1,
    "example_ids": ["call-1", "gone"],
}
PROPOSAL = {
    "proposal_id": "p1",
    "route": "triage",
    "call_id": "call-1",
    "input_text": "where is it <b>",
    "output_text": "there",
    "expected_text": "there",
    "expected_origin": "answer",
    "reason": "typos",
    "explanation": "The holdout has few typos.",
}


@pytest.fixture
def workspace(tmp_path: Path) -> Any:
    made = config(tmp_path)
    queued.write_table(made, "criterion_suggestions", [SUGGESTION, SUGGESTION | {"suggestion_id": "s2", "rank": 2}])
    queued.write_table(made, "holdout_proposals", [PROPOSAL])
    call = {"call_id": "call-1", "input_text": "a <question>", "output_text": "an answer"}
    queued.write_table(made, "interactions", [call])
    return made


def decided(workspace: Any) -> list[dict[str, Any]]:
    return [entry.row for entry in journal_of(workspace.state).read()]


def form(kind: str, subject_id: str, decision: str, value: str, decision_id: str = "d1") -> dict[str, str]:
    return {"kind": kind, "subject_id": subject_id, "decision": decision, "value": value, "decision_id": decision_id}


def test_a_suggestion_is_shown_with_its_figures_and_its_examples(workspace: Any) -> None:
    client = opened(workspace, [queued.row(1)])
    page = client.get("/criteria").text
    assert "74 % of failed answers (at least 58 %)" in page
    assert "3 % of good answers (at most 8 %)" in page
    assert "a &lt;question&gt;" in page
    assert 'Criteria <span class="count">2' in client.get("/").text


def test_an_accepted_criterion_is_applied_with_what_was_corrected_and_recorded_once(workspace: Any) -> None:
    applied: list[dict[str, Any]] = []
    client = opened(
        workspace, [queued.row(1)], apply=lambda row: applied.append(row) or f"Written: {row['subject_id']}"
    )
    corrected = json.dumps(DEFINITION | {"max": 300}, indent=2)
    for _ in range(2):
        page = client.post("/decisions", data=form("suggestion", "s1", "accept", corrected)).text
    assert "That was decided already." in page
    (row,) = applied
    assert json.loads(row["value_json"]) == DEFINITION | {"max": 300}
    assert (row["kind"], row["annotator"], row["accepted"]) == ("suggestion", "ada", True)
    page = client.post("/decisions", data=form("suggestion", "s2", "reject", "{}", "d2")).text
    assert "Rejected." in page
    assert "None waits for a decision" in page
    assert len(applied) == 1
    assert [(row["subject_id"], row["accepted"], row["value_json"] is None) for row in decided(workspace)] == [
        ("s1", True, False),
        ("s2", False, True),
    ]


@pytest.mark.parametrize(("value", "told"), [("{", "not valid JSON"), ("[1]", "must be a JSON object")])
def test_a_definition_that_is_none_is_told_and_decides_nothing(workspace: Any, value: str, told: str) -> None:
    client = opened(workspace, [queued.row(1)])
    answer = client.post("/decisions", data=form("suggestion", "s1", "accept", value))
    assert (answer.status_code, told in answer.text) == (409, True)
    assert decided(workspace) == []


def test_what_cannot_be_applied_is_told_and_waits_on(workspace: Any) -> None:
    def refuse(_: dict[str, Any]) -> str:
        raise RunError("criteria/triage.yaml: has a criterion of this name")

    client = opened(workspace, [queued.row(1)], apply=refuse)
    answer = client.post("/decisions", data=form("suggestion", "s1", "accept", json.dumps(DEFINITION)))
    assert (answer.status_code, "has a criterion of this name" in answer.text) == (409, True)
    assert decided(workspace) == []
    assert 'value="s1"' in client.get("/criteria").text


def test_the_expected_answer_of_a_proposal_can_be_corrected(workspace: Any) -> None:
    client = opened(workspace, [queued.row(1)])
    assert "where is it &lt;b&gt;" in client.get("/holdout").text
    client.post("/decisions", data=form("proposal", "p1", "accept", "it is\r\nhere"))
    (row,) = decided(workspace)
    assert json.loads(row["value_json"]) == "it is\nhere"
    assert "None waits for a decision" in client.get("/holdout").text
    assert client.post("/decisions", data=form("proposal", "p9", "accept", "x")).status_code == 404
    assert client.post("/decisions", data=form("other", "p1", "accept", "x")).status_code == 404


def in_another_thread(done: Callable[[], bool]) -> bool:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(done).result()


def test_a_failure_mode_becomes_a_criterion_in_one_step(workspace: Any) -> None:
    asked: list[tuple[str, str]] = []
    others: list[bool] = []  # whether another thread of the page could move labels into the lake meanwhile

    def suggest(route: str, mode: str) -> str:
        asked.append((route, mode))
        others.append(in_another_thread(lambda: one_at_a_time.acquire(blocking=False)))
        made = SUGGESTION | {"suggestion_id": "s9", "criterion": "made_of_a_mode"}
        lake = workspace.open_lake()
        with lake.lock("test"):
            lake.write("criterion_suggestions", DAY, queued.from_rows([made], "criterion_suggestions"), "mode")
        return f"A criterion for {mode}."

    rows = [queued.row(1)]
    assert "Make it a criterion" not in opened(workspace, rows).get("/").text
    client = opened(workspace, suggest=suggest)
    named = {name: rows[0][name] for name in ("subject", "subject_id", "criterion", "criterion_version")}
    client.post("/labels", data=named | {"verdict": "fail", "failure_mode": "too long", "label_id": "label-00001"})
    assert "Make it a criterion" in client.get("/").text
    page = client.post("/criteria/suggest", data={"route": "triage", "failure_mode": "too long"}).text
    assert asked == [("triage", "too long")]
    assert others == [False]
    assert "A criterion for too long." in page
    assert "made_of_a_mode" in page

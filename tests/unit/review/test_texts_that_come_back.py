"""What a form sends back is what is stored, although the page shows some signs of it as escapes."""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.review import queued
from tests.unit.review.browsing import labels, opened, sent
from tests.unit.review.labelled import config
from tests.unit.review.test_decision_pages import DEFINITION, PROPOSAL, SUGGESTION, decided, form

HARD = ("a\u200cb", "\U0001f469\u200d\U0001f527", "\u200fr", "so\xadft", "a\r\nb\rc", "\n\nfirst", "last\n", "\\u200d")


def typed(page: str) -> str:
    """What a browser sends of the page's only text area that was not touched."""
    (written,) = re.findall(r'<textarea[^>]* name="value"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    return re.sub(r"\r\n|\r|\n", "\r\n", html.unescape(written.removeprefix("\n")))


def page_of(folder: Path, text: str) -> tuple[Any, Any]:
    workspace = config(folder)
    queued.write_table(workspace, "holdout_proposals", [PROPOSAL | {"expected_text": text}])
    return workspace, opened(workspace, [queued.row(1)])


@pytest.mark.parametrize("text", HARD)
def test_an_answer_that_nobody_changed_is_not_a_correction(tmp_path: Path, text: str) -> None:
    workspace, client = page_of(tmp_path, text)
    client.post("/decisions", data=form("proposal", "p1", "accept", typed(client.get("/holdout").text)))
    assert [row["value_json"] for row in decided(workspace)] == [None]


@pytest.mark.parametrize("text", HARD)
def test_a_correction_keeps_what_was_not_changed(tmp_path: Path, text: str) -> None:
    workspace, client = page_of(tmp_path, text)
    client.post("/decisions", data=form("proposal", "p1", "accept", typed(client.get("/holdout").text) + "!"))
    (row,) = decided(workspace)
    assert json.loads(row["value_json"]) == f"{text}!"


@pytest.mark.parametrize("text", HARD)
def test_a_definition_that_nobody_changed_is_not_a_correction(tmp_path: Path, text: str) -> None:
    workspace = config(tmp_path)
    made = SUGGESTION | {"definition_json": json.dumps(DEFINITION | {"pattern": text}, ensure_ascii=False)}
    queued.write_table(workspace, "criterion_suggestions", [made])
    client = opened(workspace, [queued.row(1)])
    client.post("/decisions", data=form("suggestion", "s1", "accept", typed(client.get("/criteria").text)))
    assert [row["value_json"] for row in decided(workspace)] == [None]


@pytest.mark.parametrize("name", ["mode", "failure_mode"])
def test_a_failure_mode_that_is_chosen_again_is_the_same_one(tmp_path: Path, name: str) -> None:
    workspace, mode = config(tmp_path), "so\xadft \u200c<b>"
    client = opened(workspace, [queued.row(1), queued.row(2)])
    client.post("/labels", data=sent(queued.row(1), "fail", "label-00001", failure_mode=mode))
    (shown,) = re.findall(r'<button name="mode" value="([^"]*)"', client.get("/?item=2").text)[:1]
    client.post("/labels", data=sent(queued.row(2), "typed", "label-00002", **{name: html.unescape(shown)}))
    assert [row["failure_mode"] for row in labels(workspace)] == [mode, mode]


def test_the_failure_mode_that_becomes_a_criterion_is_the_stored_one(tmp_path: Path) -> None:
    workspace, mode = config(tmp_path), "so\xadft"
    asked: list[tuple[str, str]] = []
    rows = [queued.row(1, route="r\u200b1")]
    client = opened(workspace, rows, suggest=lambda *given: asked.append(given) or "Made.")
    client.post("/labels", data=sent(rows[0], "fail", "label-00001", failure_mode=mode))
    fields = re.findall(r'name="(route|failure_mode)" value="([^"]*)"', client.get("/").text)
    client.post("/criteria/suggest", data={field: html.unescape(value) for field, value in fields})
    assert asked == [("r\u200b1", mode)]


def test_a_note_that_is_sent_again_is_the_same_one(tmp_path: Path) -> None:
    workspace, note = config(tmp_path), "so\xadft\nand"
    client = opened(workspace, [queued.row(1)])
    client.post("/labels", data=sent(queued.row(1), "pass", "label-00001", note=note))
    (shown,) = re.findall(r'<textarea name="note"[^>]*>(.*?)</textarea>', client.get("/?item=1").text, re.DOTALL)
    back = html.unescape(shown.removeprefix("\n")).replace("\n", "\r\n")
    client.post("/labels", data=sent(queued.row(1), "fail", "label-00002", note=back))
    assert [row["note"] for row in labels(workspace)] == [note, None, note]

"""The page of incidents: what `genchi ack` writes, from a form."""

from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows import acknowledgements
from flows.cli.review_command import acknowledge
from flows.config import Config
from tests.unit.review import queued
from tests.unit.review.browsing import opened, unwelcome
from tests.unit.review.labelled import DAY, config

HOSTILE = "<script>alert(1)</script> \x1b[31m \u202e"


@pytest.fixture
def workspace(tmp_path: Path) -> Config:
    made = config(tmp_path)
    queued.write_queue(made, [queued.row(1)])
    texts = ", ".join(f"{name} text" for name in ("incident_id", "severity", "need", "title", "state"))
    columns = f"n_breaches int, day date, {texts}, first_seen date"
    with duckdb.connect(str(made.warehouse)) as connection:
        connection.execute(f"create schema marts; create table marts.fct_incidents ({columns})")
        connection.executemany(
            "insert into marts.fct_incidents values (1, ?, ?, ?, ?, ?, ?, ?)",
            [
                [DAY, "inc-1", "warning", "valid", HOSTILE, "ongoing", DAY - timedelta(days=2)],
                [DAY, "inc-2", "critical", "reliable", "calls failed", "open", DAY],
                [DAY, "inc-3", "critical", "reliable", "is over", "recovered", DAY],
            ],
        )
    return made


def page_of(workspace: Config) -> Any:
    return opened(workspace, acknowledge=partial(acknowledge, workspace))


def test_the_open_incidents_are_listed_worst_first_and_their_texts_are_text(workspace: Config) -> None:
    shown = page_of(workspace).get("/incidents").text
    assert shown.index("calls failed") < shown.index("&lt;script&gt;alert(1)")
    assert f"since {DAY - timedelta(days=2)}" in shown
    assert "is over" not in shown
    assert "<script>alert" not in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_form_writes_what_the_verb_writes(workspace: Config) -> None:
    page = page_of(workspace)
    form = {"incident_id": "inc-2", "name": "ana", "note": "asked <b>them</b>", "until": "2024-05-20"}
    answer = page.post("/incidents", data=form)
    assert answer.status_code == 200
    assert "acknowledged by ana until 2024-05-20: asked &lt;b&gt;them&lt;/b&gt;" in answer.text
    found = acknowledgements.newest(workspace.open_lake())["inc-2"]
    assert (found.by, found.note, str(found.until)) == ("ana", "asked <b>them</b>", "2024-05-20")


@pytest.mark.parametrize(
    ("form", "status", "told"),
    [
        ({"incident_id": "inc-3", "name": "ana"}, 404, "no such incident"),
        ({"incident_id": "inc", "name": "ana"}, 404, "no such incident"),
        ({"incident_id": "inc-1", "name": " "}, 409, "a name has 1 to 60 characters"),
        ({"incident_id": "inc-1", "name": "ana", "until": "soon"}, 409, "is not a valid day; write it as YYYY-MM-DD"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    workspace: Config, form: dict[str, str], status: int, told: str
) -> None:
    answer = page_of(workspace).post("/incidents", data=form)
    assert answer.status_code == status
    assert told in answer.text
    assert acknowledgements.newest(workspace.open_lake()) == {}


def test_who_has_no_session_or_comes_from_another_page_writes_nothing(workspace: Config) -> None:
    page = page_of(workspace)
    form = {"incident_id": "inc-2", "name": "ana"}
    assert page.post("/incidents", data=form, headers={"origin": "http://elsewhere.example"}).status_code == 403
    assert unwelcome(page.app).post("/incidents", data=form).status_code in {401, 403}
    assert acknowledgements.newest(workspace.open_lake()) == {}


def test_without_a_warehouse_the_page_says_that_it_knows_none(tmp_path: Path) -> None:
    made = config(tmp_path)
    queued.write_queue(made, [queued.row(1)])
    assert "The incidents of the night are not known" in opened(made).get("/incidents").text

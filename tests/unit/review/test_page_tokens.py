"""The token of a start stands in the list of processes: it lets one browser in, and none where a password is set."""

from pathlib import Path
from typing import Any

import pytest

from flows.review.page import Guard, Password, Place, create_app, serve, serving
from tests.unit.review import queued
from tests.unit.review.browsing import HOST, TOKEN, client_of, unwelcome
from tests.unit.review.labelled import DAY, config


def app_with(folder: Path, password: Password | None = None) -> Any:
    workspace = config(folder)
    queued.write_queue(workspace, [queued.row(1)])
    guard = Guard(hosts=frozenset({HOST}), token=TOKEN, annotator="ada", password=password)
    return create_app(workspace, DAY, guard)


def test_a_token_lets_one_browser_in(tmp_path: Path) -> None:
    app = app_with(tmp_path)
    first, second = client_of(app), unwelcome(app)
    refused = second.get(f"/?token={TOKEN}")
    assert (refused.status_code, "was opened already" in refused.text) == (403, True)
    assert second.get("/?token=").status_code == 403
    assert second.get("/").status_code == 403
    assert first.get("/").status_code == 200
    assert first.get(f"/?token={TOKEN}").status_code == 200  # from its history


def test_a_token_is_not_enough_where_a_password_is_set(tmp_path: Path) -> None:
    client = unwelcome(app_with(tmp_path, Password("correct horse battery")))
    assert client.get(f"/?token={TOKEN}").url.path == "/login"
    assert client.get("/").url.path == "/login"


@pytest.mark.parametrize("password", [None, "correct horse battery"])
def test_the_printed_address_has_a_token_only_where_one_lets_in(
    tmp_path: Path, password: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = config(tmp_path)
    workspace = plain.model_copy(update={"review": plain.review.model_copy(update={"password": password})})
    queued.write_queue(workspace, [queued.row(1)])
    told: list[str] = []
    monkeypatch.setattr(serving.asyncio, "run", lambda main: main.close())
    serve(workspace, Place(port=0, annotator="ada", opens_browser=False), told.append)
    (line,) = told
    assert ("?token=" in line, " as ada" in line) == (password is None, password is None)

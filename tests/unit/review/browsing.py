"""The review page in a browser without script, for the tests."""

import warnings
from typing import Any

from flows.config.load import Config
from flows.review.labels import journal_of
from flows.review.page import Guard, create_app
from tests.unit.review import queued
from tests.unit.review.labelled import DAY

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Starlette would rather have httpx2, which nothing else here needs
    from fastapi.testclient import TestClient

HOST = "127.0.0.1:8760"
TOKEN = "t" * 20
SCRIPT = {"accept": "application/json"}


def unwelcome(app: Any) -> TestClient:
    """A browser without a session."""
    return TestClient(app, base_url=f"http://{HOST}", headers={"origin": f"http://{HOST}"})


def client_of(app: Any) -> TestClient:
    """A browser that was opened with the token."""
    client = unwelcome(app)
    assert client.get(f"/?token={TOKEN}").status_code == 200
    return client


def opened(workspace: Config, rows: list[dict[str, Any]] | None = None, name: str = "ada", **more: Any) -> TestClient:
    """The page of a queue in the browser of one person."""
    if rows is not None:
        queued.write_queue(workspace, rows)
    guard = Guard(hosts=frozenset({HOST}), token=TOKEN, annotator=name)
    return client_of(create_app(workspace, DAY, guard, **more))


def sent(row: dict[str, Any], verdict: str, label_id: str, **more: str) -> dict[str, str]:
    """What a form sends."""
    named = {name: row[name] for name in ("subject", "subject_id", "criterion", "criterion_version")}
    return named | {"verdict": verdict, "label_id": label_id} | more


def labels(workspace: Config) -> list[dict[str, Any]]:
    """The labels in the journal."""
    return [entry.row for entry in journal_of(workspace.state).read()]

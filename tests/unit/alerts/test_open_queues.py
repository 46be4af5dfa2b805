"""The digest of what is to review."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from flows.alerts import open_queues
from flows.config import Config, load_config
from flows.config.rota import on_duty
from flows.lake.lake import from_rows
from tests.unit.alerts.receivers import WebServer, serving

NIGHT = date(2026, 3, 10)
ROTA = ("Ada <!channel>", "Bo")


@pytest.fixture
def server() -> Iterator[WebServer]:
    with serving(WebServer()) as found:
        yield found


def workspace(root: Path, alerts: list[dict[str, object]], rota: tuple[str, ...] = ROTA) -> Config:
    owners = {name: name for name in rota}
    settings = {"app": "desk", "lake": "lake", "alerts": alerts, "review": {"rota": list(rota)}, "owners": owners}
    (root / "genchi.yaml").write_text(json.dumps(settings), encoding="utf-8")
    return load_config(root / "genchi.yaml", {})


def queued(config: Config, day: date, count: int, judged: int = 0) -> None:
    """A queue, one answer of which a second person judges too."""
    keys = [{"route": "r", "subject": "call", "subject_id": f"{day}-{n}", "criterion": "right"} for n in range(count)]
    rows = [{**key, "is_second": False} for key in keys] + [{**key, "is_second": True} for key in keys[:1]]
    config.open_lake().write("review_queue", day, from_rows(rows, "review_queue"))
    at = datetime(2026, 3, 11, 9, tzinfo=UTC)
    said = {"at": at, "passed": True, "queue_day": day}
    labels = [{**key, **said, "label_id": f"{day}-{n}"} for n, key in enumerate(keys[:judged])]
    config.open_lake().write("annotations", at.date(), from_rows(labels, "annotations"), f"of-{day}")


def remind(config: Config) -> open_queues.Reminded:
    with config.open_lake().lock("test"):
        return open_queues.remind(config, NIGHT, pause=lambda _: None)


def test_who_reviews_this_week_is_told_which_queues_are_open_and_once(tmp_path: Path, server: WebServer) -> None:
    kinds: list[dict[str, object]] = [
        {"kind": kind, "url": f"http://{server.address}/{kind}"} for kind in ("webhook", "slack")
    ]
    config = workspace(tmp_path, kinds)
    queued(config, NIGHT, 5)
    queued(config, NIGHT - timedelta(days=2), 4, judged=3)
    queued(config, NIGHT - timedelta(days=3), 2, judged=2)
    queued(config, NIGHT - timedelta(days=8), 9)
    name = on_duty(ROTA, NIGHT)
    assert remind(config).summary() == f"6 answers to review; this week: {name}; sent to 2"
    webhook, slack = (json.loads(body) for _, _, body in server.requests)
    assert webhook["headline"] == f"desk, 2026-03-10: 6 answers to review; this week: {name}"
    assert webhook["review"].splitlines()[1:] == [
        "2026-03-10: 5 answers: `genchi review --day 2026-03-10`",
        "2026-03-08: 1 answer: `genchi review --day 2026-03-08`",
    ]
    assert (webhook["severity"], webhook["items"], webhook["over"]) == ("info", [], [])
    assert "<!channel>" not in json.dumps(slack)

    assert remind(config).delivered.already == 2
    assert len(server.requests) == 2
    queued(config, NIGHT, 5, judged=1)
    assert remind(config).delivered.sent == 2


def test_nothing_is_sent_where_all_is_judged(tmp_path: Path, server: WebServer) -> None:
    config = workspace(tmp_path, [{"kind": "webhook", "url": f"http://{server.address}/"}])
    assert remind(config).line == "nothing to review"
    queued(config, NIGHT, 3, judged=3)
    assert remind(config).summary() == "nothing to review; sent to 0"
    assert server.requests == []


def test_it_goes_to_the_alert_of_who_reviews_and_to_none_of_critical_incidents_alone(
    tmp_path: Path, server: WebServer
) -> None:
    def alert(path: str, **more: object) -> dict[str, object]:
        return {"kind": "webhook", "url": f"http://{server.address}/{path}", **more}

    mine, theirs = ("Bo", "Ada") if on_duty(("Ada", "Bo"), NIGHT) == "Bo" else ("Ada", "Bo")
    alerts = [
        alert("mine", owner=mine),
        alert("theirs", owner=theirs),
        alert("pager", severity="critical"),
        alert("all"),
    ]
    config = workspace(tmp_path, alerts, ("Ada", "Bo"))
    queued(config, NIGHT, 3)
    remind(config)
    assert [path for _, path, _ in server.requests] == ["/mine", "/all"]

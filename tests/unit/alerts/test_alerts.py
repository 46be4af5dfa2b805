"""The digest, its messages, and their delivery to a real HTTP server on loopback."""

import json
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flows.alerts import messages, notifiers, send_digest, send_test
from flows.alerts.digest import Digest, build, of_night
from flows.config.load import Alert, Config
from flows.errors import ConfigError, RunError
from flows.lake import lake
from flows.lake.backends import LocalBackend
from flows.lake.lake import Lake, Note

DAY = date(2026, 3, 2)
REPORTS = Path("/reports/2026-03-02")


class Hook(ThreadingHTTPServer):
    """A webhook that answers with `answers` in turn, the last one for ever, and keeps what it was sent."""

    def __init__(self, answers: list[int]) -> None:
        self.answers, self.received = answers, list[dict[str, Any]]()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook/SECRET"


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(json.loads(body))
        self.send_response(self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hooks() -> Iterator[Any]:
    started: list[tuple[Hook, threading.Thread]] = []

    def start(*answers: int) -> Hook:
        hook = Hook(list(answers) or [200])
        thread = threading.Thread(target=hook.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        started.append((hook, thread))
        return hook

    yield start
    for hook, thread in started:
        hook.shutdown()
        hook.server_close()
        thread.join()


def row(severity: str = "critical", **changed: Any) -> dict[str, Any]:
    usual = {"suite": "verdicts", "expectation": "no_critical_breach", "subject": "worse:triage/correct/new"}
    told = {"observed": "new is worse by 12 points.", "expected": "no critical breach", "evidence_json": "{}"}
    return usual | told | {"success": False, "severity": severity} | changed


def digest(*rows: dict[str, Any]) -> Digest:
    return build(rows or [row()], "desk", DAY, REPORTS)


def texts(message: dict[str, Any]) -> list[str]:
    return [block["text"]["text"] for block in message["blocks"]]


def deliver(told: Digest, targets: list[Alert], record: Path) -> notifiers.Delivered:
    note = Note(LocalBackend(record.parent), record.name)
    return notifiers.deliver(told, targets, note, pause=lambda _: None)


def test_a_digest_holds_what_failed_critical_first_and_causes_before_verdicts() -> None:
    rows = [
        row("warning", suite="landed_logs", expectation="calls_succeed", subject="gateway"),
        row(),
        row("critical", suite="landed_logs", expectation="calls_landed", subject="gateway", observed="0 calls"),
        row("info"),
        row(success=True),
    ]
    told = digest(*rows)
    assert [(item.severity, item.expectation) for item in told.items] == [
        ("critical", "calls_landed"),
        ("critical", "no_critical_breach"),
        ("warning", "calls_succeed"),
    ]
    assert told.headline == "desk, 2026-03-02: 2 critical and 1 warning expectations failed; gateway: 0 calls"
    assert told == digest(*reversed(rows))
    assert told.items[0].where == "/reports/2026-03-02/data_docs/landed_logs.html"
    assert told.items[1].where == told.report == "/reports/2026-03-02/index.html"


def test_a_webhook_gets_every_failure_with_what_was_expected_what_was_seen_and_where_to_look(
    hooks: Any, tmp_path: Path
) -> None:
    hook = hooks()
    told = digest(row(), row("warning", subject="drift:a"))
    assert deliver(told, [Alert(kind="webhook", url=hook.url)], tmp_path / "sent.json") == notifiers.Delivered(sent=1)
    (message,) = hook.received
    assert set(message) == {"app", "day", "severity", "headline", "items", "report"}
    assert (message["app"], message["day"], message["severity"]) == ("desk", "2026-03-02", "critical")
    assert message["items"][0] == {
        "suite": "verdicts",
        "expectation": "no_critical_breach",
        "subject": "worse:triage/correct/new",
        "severity": "critical",
        "expected": "no critical breach",
        "observed": "new is worse by 12 points.",
        "where": "/reports/2026-03-02/index.html",
        "nights": 1,
        "calls": [],
    }


def test_without_failures_nothing_is_sent(hooks: Any, tmp_path: Path) -> None:
    hook = hooks()
    told = digest(row(success=True), row("info"))
    assert deliver(told, [Alert(kind="webhook", url=hook.url)], tmp_path / "sent.json") == notifiers.Delivered()
    assert hook.received == []


def test_a_breach_that_goes_on_is_told_once_and_again_only_beside_what_is_new(hooks: Any, tmp_path: Path) -> None:
    hook = hooks()
    targets = [Alert(kind="webhook", url=hook.url)]
    goes_on = row(subject="drift:a", evidence_json='{"nights": 4}', observed="Inputs fell. Night 4, since 2026-02-27.")
    assert deliver(digest(goes_on), targets, tmp_path / "sent.json") == notifiers.Delivered()
    assert hook.received == []
    assert deliver(digest(goes_on, row(subject="drift:b")), targets, tmp_path / "sent.json").sent == 1
    assert [(item["subject"], item["nights"]) for item in hook.received[0]["items"]] == [("drift:b", 1), ("drift:a", 4)]


def test_the_same_digest_is_sent_once_and_a_changed_one_again(hooks: Any, tmp_path: Path) -> None:
    hook, record = hooks(), tmp_path / "lake" / "_alerts" / "2026-03-02.json"
    targets = [Alert(kind="webhook", url=hook.url)]
    assert deliver(digest(), targets, record).sent == 1
    assert deliver(digest(), targets, record) == notifiers.Delivered(already=1)
    assert deliver(digest(row(observed="worse by 20 points.")), targets, record).sent == 1
    assert len(hook.received) == 2
    assert "SECRET" not in record.read_text()


def test_a_record_that_cannot_be_read_does_not_keep_an_alert_back(hooks: Any, tmp_path: Path) -> None:
    hook, record = hooks(), tmp_path / "sent.json"
    for broken in ("{half", "[]"):
        record.write_text(broken)
        assert deliver(digest(), [Alert(kind="webhook", url=hook.url)], record).sent == 1


@pytest.mark.parametrize("passing", [500, 503, 429])
def test_a_failure_that_passes_is_tried_again(hooks: Any, tmp_path: Path, passing: int) -> None:
    hook = hooks(passing, 200)
    assert deliver(digest(), [Alert(kind="webhook", url=hook.url)], tmp_path / "sent.json").sent == 1
    assert len(hook.received) == 2


def test_a_target_that_stays_down_is_an_error_after_three_tries_and_the_others_are_told(
    hooks: Any, tmp_path: Path
) -> None:
    down, up, record = hooks(500), hooks(), tmp_path / "sent.json"
    targets = [Alert(kind="webhook", url=down.url), Alert(kind="slack", url=up.url)]
    with pytest.raises(RunError, match=r"webhook at 127\.0\.0\.1: answered 500") as caught:
        deliver(digest(), targets, record)
    assert "SECRET" not in str(caught.value)
    assert (len(down.received), len(up.received)) == (3, 1)
    down.answers[:] = [200]
    assert deliver(digest(), targets, record) == notifiers.Delivered(sent=1, already=1)


def test_a_refusal_for_good_is_not_tried_again(hooks: Any, tmp_path: Path) -> None:
    hook = hooks(404)
    with pytest.raises(RunError, match="answered 404"):
        deliver(digest(), [Alert(kind="webhook", url=hook.url)], tmp_path / "sent.json")
    assert len(hook.received) == 1


@pytest.mark.parametrize(
    ("url", "said"),
    [("http://127.0.0.1:1/", "ConnectError"), ("nowhere", "no valid URL"), ("http://\x00", "no valid URL")],
)
def test_a_target_that_nobody_answers_at_is_an_error_in_one_line(url: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=said) as caught:
        deliver(digest(), [Alert(kind="webhook", url=url)], tmp_path / "sent.json")
    assert "\n" not in str(caught.value)


def test_hostile_text_is_no_mention_link_or_broadcast_in_slack() -> None:
    hostile = "<!channel> <https://evil.example|click> @everyone @here & <@U123>"
    message = messages.slack(digest(row(subject=hostile, observed=hostile, expected=hostile)))
    for text in [message["text"], *texts(message)]:
        assert "<" not in text
        assert "@everyone" not in text
        assert "@here" not in text
    assert "&lt;!channel&gt;" in texts(message)[1]
    assert " &amp; " in texts(message)[1]
    assert all(block["text"].get("verbatim", True) for block in message["blocks"])
    assert message["text"].startswith("desk, 2026-03-02: 1 critical expectation failed")


def test_slack_limits_hold_and_what_is_left_out_is_counted() -> None:
    many = digest(*(row(subject=f"drift:{n}", observed="&" * n * 100) for n in range(120)))
    message = messages.slack(many)
    assert len(message["blocks"]) == 50
    assert texts(message)[-2] == "and 73 more failed expectations"
    assert max(map(len, texts(message))) <= 3000
    assert len(texts(message)[0]) <= 150
    longest = next(text for text in texts(message) if "more characters" in text)
    assert "&amp;… (" in longest
    assert longest.endswith("page: /reports/2026-03-02/index.html")
    fits = digest(*(row(subject=f"drift:{n}") for n in range(48)))
    assert len(messages.slack(fits)["blocks"]) == 50


def test_a_header_or_a_subject_of_any_length_stays_within_slacks_limits() -> None:
    told = build([row(subject="<" * 9000)], "&" * 9000, DAY, REPORTS)
    message = messages.slack(told)
    assert max(map(len, [message["text"], *texts(message)])) <= 3000
    assert len(texts(message)[0]) <= 150


def test_the_digest_of_a_night_is_read_from_the_lake(tmp_path: Path) -> None:
    config = Config(path=tmp_path / "genchi.yaml", app="desk", lake=tmp_path / "lake", reports=tmp_path / "reports")
    assert of_night(config, DAY).items == ()
    Lake(config.lake).write(
        "expectation_results", DAY, lake.from_rows([row(), row(success=True)], "expectation_results")
    )
    told = of_night(config, DAY)
    assert (told.count("critical"), told.count("warning"), len(told.items)) == (1, 0, 1)
    assert told.report == str(tmp_path / "reports" / "2026-03-02" / "index.html")


def configured(folder: Path, *targets: dict[str, str]) -> Config:
    settings = {"app": "desk", "lake": "lake", "path": folder / "genchi.yaml", "alerts": targets}
    return Config.model_validate(settings, context=folder)


def test_a_test_message_goes_to_every_target_and_says_who_did_not_take_it(hooks: Any, tmp_path: Path) -> None:
    fine, gone = hooks(200), hooks(404)
    config = configured(
        tmp_path,
        {"kind": "webhook", "url": gone.url},
        {"kind": "slack", "url": fine.url},
        {"kind": "slack", "url": "${SLACK_WEBHOOK_URL}"},
    )
    said = []
    with pytest.raises(RunError) as failed:
        said.extend(iter(send_test(config)))
    assert "webhook at 127.0.0.1: answered 404" in str(failed.value)
    assert "the environment variable SLACK_WEBHOOK_URL is not set; set it" in str(failed.value)
    assert "SECRET" not in str(failed.value)
    assert [message["text"] for message in fine.received] == [
        "desk: a test of genchi's alerts. Findings of a night will arrive here."
    ]
    assert len(gone.received) == 1
    (only,) = send_test(configured(tmp_path, {"kind": "webhook", "url": fine.url}))
    assert only == "✓ webhook at 127.0.0.1 took the test message"
    assert fine.received[-1].keys() == messages.webhook(digest()).keys()


def test_a_digest_is_sent_by_hand_to_those_who_had_it_not(hooks: Any, tmp_path: Path) -> None:
    hook = hooks(200)
    config = configured(tmp_path, {"kind": "webhook", "url": hook.url})
    with config.open_lake().lock("alert"):
        with pytest.raises(ConfigError, match="no night of this day"):
            send_digest(config, DAY)
        rows = lake.from_rows([{**row(), "success": False}], "expectation_results")
        config.open_lake().write("expectation_results", DAY, rows)
        assert send_digest(config, DAY) == "digest sent to 1, 0 had it already"
        assert send_digest(config, DAY) == "digest sent to 0, 1 had it already"
    assert len(hook.received) == 1

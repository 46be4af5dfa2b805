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
from flows.alerts.flow import AlertResult
from flows.config.load import Alert, Config
from flows.config.sections import Review
from flows.errors import ConfigError, RunError
from flows.lake import lake
from flows.lake.backends import LocalBackend
from flows.lake.lake import Lake, Note
from flows.night import Night
from flows.stage_failures import with_failures

DAY = date(2026, 3, 2)
REPORTS = "/reports/2026-03-02"


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
    usual = {"suite": "verdicts", "expectation": "no_critical_incident", "subject": "i-1"}
    told = {"observed": "New is worse. By 12 points.", "expected": "no critical incident"}
    told["evidence_json"] = json.dumps({"state": "open", "title": "New is worse", "nights": 1})
    return usual | told | {"success": False, "severity": severity} | changed


def going_on(**changed: Any) -> dict[str, Any]:
    return row(evidence_json=json.dumps({"state": "ongoing", "title": "Inputs fell", "nights": 4}), **changed)


def over(state: str = "recovered") -> dict[str, Any]:
    evidence = json.dumps({"state": state, "title": "Inputs fell", "nights": 4})
    return row("info", success=True, expectation="incident_over", subject="i-9", evidence_json=evidence)


def digest(*rows: dict[str, Any]) -> Digest:
    return build(rows or [row()], "desk", DAY, REPORTS)


def texts(message: dict[str, Any]) -> list[str]:
    return [block["text"]["text"] for block in message["blocks"]]


def deliver(told: Digest, targets: list[Alert], record: Path) -> notifiers.Delivered:
    note = Note(LocalBackend(record.parent), record.name)
    return notifiers.deliver(told, targets, note, pause=lambda _: None)


def test_a_night_that_is_run_again_after_it_caught_others_up_sends_nothing_twice(hooks: Any, tmp_path: Path) -> None:
    targets, record = [Alert(kind="webhook", url=hooks().url)], tmp_path / "sent.json"
    night = Night(DAY, caught_up=[date(2026, 3, 1)])
    first = digest(*with_failures([row()], night.to_tell))
    assert [item.subject for item in first.items] == ["i-1", "nights before"]
    assert deliver(first, targets, record).sent == 1
    assert deliver(digest(row()), targets, record) == notifiers.Delivered(already=1)


def test_who_got_another_digest_meanwhile_stays_on_the_record(
    hooks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets, record = [Alert(kind="webhook", url=hooks().url)], tmp_path / "sent.json"
    send = notifiers._send

    def meanwhile(target: Alert, told: Digest) -> None:
        send(target, told)
        record.write_text('{"slack-of-another": "x"}')

    monkeypatch.setattr(notifiers, "_send", meanwhile)
    assert deliver(digest(row()), targets, record).sent == 1
    assert len(json.loads(record.read_text())) == 2
    assert deliver(digest(row()), targets, record) == notifiers.Delivered(already=1)


def test_a_digest_is_in_the_order_of_needs_and_says_what_waits_for_the_broken_one() -> None:
    def of(need: str, severity: str = "critical", **changed: Any) -> dict[str, Any]:
        evidence = json.dumps({"state": "open", "title": f"Less {need}", "need": need})
        return row(severity, **{"evidence_json": evidence, "subject": need, **changed})

    unread = of("reliability", suite="landed_logs", expectation="calls_landed", subject="gateway", observed="0 calls")
    rows = [of("cost", "warning"), of("usefulness"), unread, of("harmlessness")]
    told = digest(*rows)
    assert [item.need for item in told.items] == ["reliability", "harmlessness", "usefulness", "cost"]
    assert told.headline == (
        "desk, 2026-03-02: critical check failed: gateway: 0 calls; not reliable: the rest waits, 3 incidents"
    )
    assert digest(*rows[:1], of("reliability", "warning")).headline == (
        "desk, 2026-03-02: warning, new: Less reliability; 1 more incident"
    )


def test_a_digest_holds_what_failed_critical_first_and_incidents_before_checks() -> None:
    rows = [
        row("warning", suite="landed_logs", expectation="calls_succeed", subject="gateway"),
        row(),
        row("critical", suite="landed_logs", expectation="calls_landed", subject="gateway", observed="0 calls"),
        row("info"),
        row(success=True),
    ]
    told = digest(*rows)
    assert [(item.severity, item.expectation) for item in told.items] == [
        ("critical", "no_critical_incident"),
        ("critical", "calls_landed"),
        ("warning", "calls_succeed"),
    ]
    assert told.headline == "desk, 2026-03-02: critical, new: New is worse; 2 failed checks"
    assert told == digest(*reversed(rows))
    assert told.items[1].where == "/reports/2026-03-02/data_docs/landed_logs.html"
    assert told.items[0].where == told.report == "/reports/2026-03-02/index.html"


def test_a_webhook_gets_every_failure_with_what_was_expected_what_was_seen_and_where_to_look(
    hooks: Any, tmp_path: Path
) -> None:
    hook = hooks()
    told = digest(row(), row("warning", subject="drift:a"))
    assert deliver(told, [Alert(kind="webhook", url=hook.url)], tmp_path / "sent.json") == notifiers.Delivered(sent=1)
    (message,) = hook.received
    assert set(message) == {
        "app", "day", "severity", "headline", "items", "over", "acknowledged", "review", "report"
    }  # fmt: skip
    assert (message["app"], message["day"], message["severity"]) == ("desk", "2026-03-02", "critical")
    assert message["items"][0] == {
        "suite": "verdicts",
        "expectation": "no_critical_incident",
        "subject": "i-1",
        "severity": "critical",
        "expected": "no critical incident",
        "observed": "New is worse. By 12 points.",
        "where": "/reports/2026-03-02/index.html",
        "title": "New is worse",
        "state": "open",
        "nights": 1,
        "calls": [],
        "need": "",
        "routes": [],
        "owners": [],
        "commands": ["genchi breaches --day 2026-03-02", "genchi ack i-1"],
        "examples": [],
        "again": "",
    }


def test_without_failures_nothing_is_sent(hooks: Any, tmp_path: Path) -> None:
    hook = hooks()
    told = digest(row(success=True), row("info"))
    assert deliver(told, [Alert(kind="webhook", url=hook.url)], tmp_path / "sent.json") == notifiers.Delivered()
    assert hook.received == []


def test_an_incident_that_goes_on_is_told_once_and_again_only_beside_what_is_new(hooks: Any, tmp_path: Path) -> None:
    hook = hooks()
    targets = [Alert(kind="webhook", url=hook.url)]
    assert deliver(digest(going_on()), targets, tmp_path / "sent.json") == notifiers.Delivered()
    assert hook.received == []
    assert deliver(digest(going_on(), row(subject="i-2")), targets, tmp_path / "sent.json").sent == 1
    (message,) = hook.received
    assert [(item["subject"], item["state"], item["nights"]) for item in message["items"]] == [
        ("i-2", "open", 1),
        ("i-1", "ongoing", 4),
    ]
    assert message["headline"] == "desk, 2026-03-02: critical, new: New is worse; 1 more incident"
    worse = digest(going_on(), row("warning", subject="i-2"))
    assert worse.headline == "desk, 2026-03-02: critical, night 4: Inputs fell; 1 more incident"  # as on the page


def test_the_log_of_a_night_counts_incidents_and_checks() -> None:
    guard = row("warning", suite="landed_logs", expectation="calls_succeed", subject="gateway")

    def line(*rows: dict[str, Any], sent: int = 0) -> str:
        return AlertResult(digest(*rows), notifiers.Delivered(sent=sent)).summary()

    assert line(row("info")) == "nothing to report"
    assert line(row(), guard) == "1 incident, 1 failed check; no alerts are configured"
    assert line(row(), going_on(), over("settled"), sent=2) == "2 incidents (1 new), 1 over; digest sent to 2"
    assert line(going_on()) == "nothing new: 1 incident, known from earlier nights"


@pytest.mark.parametrize("state", ["recovered", "settled"])
def test_an_incident_that_is_over_is_told_in_one_line(hooks: Any, tmp_path: Path, state: str) -> None:
    hook = hooks()
    told = digest(over(state))
    assert deliver(told, [Alert(kind="slack", url=hook.url)], tmp_path / "sent.json").sent == 1
    assert told.headline == f"desk, 2026-03-02: {state}: Inputs fell"
    assert texts(hook.received[0]) == [
        f"desk, 2026-03-02: {state}: Inputs fell",
        f"{state}: Inputs fell",
        "Page of the night: /reports/2026-03-02/index.html",
    ]


def test_the_first_line_in_slack_is_the_first_incident_and_its_sentences_follow() -> None:
    first, incident, *_ = texts(messages.slack(digest(row(), row("warning", subject="i-2"))))
    assert first == "desk, 2026-03-02: critical, new: New is worse; 1 more incident"
    assert incident.split("\n") == [
        ":red_circle: *critical, new*: New is worse",
        "By 12 points.",
        "look: genchi breaches --day 2026-03-02; genchi ack i-1",
    ]


def test_with_an_address_of_the_pages_the_links_lead_there(tmp_path: Path) -> None:
    config = configured(tmp_path).model_copy(update={"report_url": "https://pages.example/a|b"})
    told = build([row(), row("warning", suite="holdout")], "desk", DAY, config.pages_of(DAY))
    assert told.report == "https://pages.example/a|b/2026-03-02/index.html"
    shown = texts(messages.slack(told))
    assert shown[-1] == "Page of the night: <https://pages.example/a%7Cb/2026-03-02/index.html>"
    assert shown[2].endswith("page: <https://pages.example/a%7Cb/2026-03-02/data_docs/holdout.html>")


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
    message = messages.slack(digest(row(suite="holdout", subject=hostile, observed=hostile, expected=hostile)))
    for text in [message["text"], *texts(message)]:
        assert "<" not in text
        assert "@everyone" not in text
        assert "@here" not in text
    assert "&lt;!channel&gt;" in texts(message)[1]
    assert " &amp; " in texts(message)[1]
    assert all(block["text"].get("verbatim", True) for block in message["blocks"])
    assert message["text"].startswith("desk, 2026-03-02: critical check failed: &lt;!channel&gt;")


def test_a_hostile_title_is_no_mention_or_broadcast_and_stays_on_its_line() -> None:
    hostile = "<!channel>\n@everyone fell"
    evidence = json.dumps({"title": hostile, "state": "open"})
    for text in texts(messages.slack(digest(row(observed=f"{hostile}. <!here>", evidence_json=evidence)))):
        assert "<!" not in text
        assert "@everyone" not in text


def test_slack_limits_hold_and_what_is_left_out_is_counted() -> None:
    many = digest(*(row(suite="holdout", subject=f"drift:{n}", observed="&" * n * 100) for n in range(120)))
    message = messages.slack(many)
    assert len(message["blocks"]) == 50
    assert texts(message)[-2] == "and 73 more incidents and failed checks"
    assert max(map(len, texts(message))) <= 3000
    assert len(texts(message)[0]) <= 150
    longest = next(text for text in texts(message) if "more characters" in text)
    assert "&amp;… (" in longest
    assert longest.endswith("page: /reports/2026-03-02/data_docs/holdout.html")
    fits = digest(*(row(subject=f"drift:{n}") for n in range(48)))
    assert len(messages.slack(fits)["blocks"]) == 50


def test_a_header_or_a_subject_of_any_length_stays_within_slacks_limits() -> None:
    told = build([row(suite="holdout", subject="<" * 9000)], "&" * 9000, DAY, REPORTS)
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


def test_the_digest_says_what_there_is_to_review_and_whose_week_it_is(hooks: Any, tmp_path: Path) -> None:
    config = configured(tmp_path).model_copy(update={"review": Review(rota=("<!channel>", "Ada"))})
    assert not of_night(config, DAY).review
    queue = [{"subject_id": "1"}, {"subject_id": "2"}, {"subject_id": "2", "is_second": True}]
    Lake(tmp_path / "lake").write("review_queue", DAY, lake.from_rows(queue, "review_queue"))
    told = of_night(config, DAY)
    assert told.review == "2 answers to review: `genchi review --day 2026-03-02`; this week: <!channel>"
    assert not told.is_news  # a queue alone wakes nobody
    assert messages.webhook(told)["review"] == told.review
    assert "&lt;!channel&gt;" in texts(messages.slack(told))[1]


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
        "desk: a test of genchi's alerts. The incidents of a night will arrive here."
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

"""Digests to services, through Apprise to real servers on loopback, and through notification blocks of Prefect."""

import email
import email.policy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prefect.blocks.core import Block
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.blocks.system import Secret

from flows.alerts import notifiers, plain_text, send_test, service_channels, why_not_sendable
from flows.alerts.http_channels import UndeliveredError
from flows.config import Alert
from flows.errors import RunError
from tests.unit.alerts.receivers import MailServer, WebServer, serving
from tests.unit.alerts.test_alerts import configured, deliver, digest, over, row

HOSTILE = "<!channel> @everyone <b>x</b> [click](https://evil.example) \x1b[31m"


def apprise(url: str) -> Alert:
    return Alert(kind="apprise", url=url)


def hostile() -> Any:
    return digest(row(suite="holdout", subject=HOSTILE, observed=HOSTILE, expected="fine"))


def test_a_mail_server_gets_the_digest_as_plain_text(tmp_path: Path) -> None:
    with serving(MailServer()) as server:
        target = apprise(f"mailto://127.0.0.1:{server.server_address[1]}?from=genchi@desk.example&to=ana@desk.example")
        assert deliver(digest(row(), over()), [target], tmp_path / "sent.json") == notifiers.Delivered(sent=1)
        assert deliver(digest(row(), over()), [target], tmp_path / "sent.json") == notifiers.Delivered(already=1)
    (mail,) = [email.message_from_string(mail, policy=email.policy.default) for mail in server.mails]
    assert mail["Subject"] == "desk, 2026-03-02: critical, new: New is worse"
    assert "ana@desk.example" in mail["To"]
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r", "").split("\n\n") == [
        "critical, new: New is worse\nBy 12 points.\nlook: genchi breaches --day 2026-03-02; genchi ack i-1",
        "recovered: Inputs fell",
        "Page of the night: /reports/2026-03-02/index.html\n",
    ]


def test_a_service_that_takes_json_gets_title_text_and_severity(tmp_path: Path) -> None:
    with serving(WebServer()) as server:
        deliver(digest(row("warning")), [apprise(f"json://{server.address}/hook/SECRET")], tmp_path / "sent.json")
    ((method, path, body),) = server.requests
    assert (method, path) == ("POST", "/hook/SECRET")
    message = json.loads(body)
    assert (message["title"], message["type"]) == ("desk, 2026-03-02: warning, new: New is worse", "warning")


def test_hostile_text_is_no_mention_tag_or_link_and_steers_no_terminal(tmp_path: Path) -> None:
    with serving(WebServer()) as server:
        deliver(hostile(), [apprise(f"json://{server.address}/?format=html")], tmp_path / "sent.json")
    message = json.loads(server.requests[0][2])
    for text in (message["title"], message["message"]):
        for meant in ("<!channel", "@everyone", "<b>", "](https", "\x1b"):
            assert meant not in text
        assert r"\x1b[31m" in text


def test_no_redirect_is_followed_even_where_the_url_asks_for_it(tmp_path: Path) -> None:
    with serving(WebServer()) as elsewhere, serving(WebServer(307, f"http://{elsewhere.address}/stolen")) as server:
        with pytest.raises(RunError, match=r"apprise json://\*\*\*: ") as caught:
            deliver(digest(), [apprise(f"json://{server.address}/SECRETPATH?redirect=yes")], tmp_path / "sent.json")
        assert elsewhere.requests == []
    assert "SECRETPATH" not in str(caught.value)


def test_a_service_that_stays_down_is_tried_thrice_and_told_without_its_address(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with serving(WebServer(500)) as server:
        with pytest.raises(RunError, match="error=500") as caught:
            deliver(digest(), [apprise(f"json://user:PASSWORD@{server.address}/SECRET")], tmp_path / "sent.json")
        assert len(server.requests) == 3
    shown = str(caught.value) + "".join(capfd.readouterr())
    assert "PASSWORD" not in shown
    assert "SECRET" not in shown


@pytest.mark.parametrize("url", ["nowhere", "unknown://SECRETKEY/x", "pagerduty://", "json://"])
def test_an_address_that_apprise_does_not_know_is_an_error_in_one_line_and_doctor_tells_it(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="no valid URL") as caught:
        deliver(digest(), [apprise(url)], tmp_path / "sent.json")
    assert "SECRETKEY" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert why_not_sendable(apprise(url)).startswith("no valid URL")


@pytest.mark.parametrize(
    "url",
    [
        "mailtos://ana:pw@desk.example",
        "workflow://prod-1.westeurope.logic.azure.com/workflows/WORKFLOW/SIGNATURE",
        "pagerduty://INTEGRATIONKEY@APIKEY/",
        "opsgenie://" + "a" * 36,
        "matrixs://token@matrix.example/!room",
        "ntfys://ntfy.example/topic",
    ],
)
def test_the_services_that_teams_use_are_known(url: str) -> None:
    assert why_not_sendable(apprise(url)) == ""


@pytest.mark.parametrize("most", [60, 200, 600, 3000])
def test_a_body_fits_and_says_what_it_leaves_out(most: int) -> None:
    many = digest(*(row(suite="holdout", subject=f"drift:{n}", observed="x" * n) for n in range(60)))
    body = plain_text.body(many, most)
    assert len(body) <= most
    assert "page" in body.lower()
    shown = body.count("observed: ")
    if most > 300:
        assert f"and {60 - shown} more entries, on the page" in body


def test_what_people_are_asked_to_judge_stands_before_the_page() -> None:
    body = plain_text.body(replace(digest(row()), review="30 answers to review; this week: ana"), 3000)
    assert body.split("\n\n")[1] == "30 answers to review; this week: ana"


def test_a_test_message_names_the_service_only() -> None:
    with serving(WebServer()) as server:
        config = configured(Path("/w"), {"kind": "apprise", "url": f"json://{server.address}/SECRET"})
        assert list(send_test(config)) == ["✓ apprise json://*** took the test message"]
    assert "a test of genchi's alerts" in server.requests[0][2]


def loading(monkeypatch: pytest.MonkeyPatch, **blocks: Block) -> None:
    def load(name: str) -> Block:
        if name not in blocks:
            raise ValueError(f"Unable to find block document named {name}")
        return blocks[name]

    monkeypatch.setattr(Block, "load", load)


def test_a_block_of_prefect_takes_the_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(WebServer()) as server:
        content = {"title": "{{subject}}", "text": "{{body}}"}
        block = CustomWebhookNotificationBlock(name="b", url=f"http://{server.address}/SECRET", json_data=content)
        loading(monkeypatch, **{"custom-webhook/ours": block})
        target = Alert(kind="prefect", block="custom-webhook/ours")
        assert deliver(digest(), [target], tmp_path / "sent.json").sent == 1
        assert deliver(digest(), [target], tmp_path / "sent.json").already == 1
    ((_, _, body),) = server.requests
    assert json.loads(body)["title"] == "desk, 2026-03-02: critical, new: New is worse"
    assert "Page of the night" in json.loads(body)["text"]


def test_a_block_that_fails_is_gone_or_sends_nothing_is_told_without_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(WebServer(500)) as server:
        block = CustomWebhookNotificationBlock(name="b", url=f"http://{server.address}/SECRETPATH")
        loading(monkeypatch, **{"custom-webhook/down": block, "secret/other": Secret(value="x")})
        targets = [
            Alert(kind="prefect", block=name) for name in ("custom-webhook/down", "secret/other", "slack-webhook/no")
        ]
        with pytest.raises(RunError) as caught:
            deliver(digest(), targets, tmp_path / "sent.json")
    said = str(caught.value)
    assert "SECRETPATH" not in said
    assert "prefect custom-webhook/down: " in said
    assert "a block of type Secret sends no messages" in said
    assert "Prefect has no such block; list them with `prefect block ls`" in said


def test_what_apprise_says_is_told_without_any_part_of_the_address() -> None:
    with serving(WebServer(403)) as server, pytest.raises(UndeliveredError) as caught:
        service_channels.through_apprise(f"json://tokenA/{server.address}", "info", "s", lambda most: "b"[:most])
    assert "tokenA" not in str(caught.value)

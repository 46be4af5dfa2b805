"""Which part of a digest goes to which alert, who owns what, and in which alerts users are quoted."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.alerts import messages
from flows.alerts.digest import Digest, build, of_night
from flows.alerts.notifiers import Delivered
from flows.alerts.routing import owners_of, part_for
from flows.config import Alert, load_config
from flows.errors import ConfigError
from flows.lake import from_rows
from tests.unit.alerts.receivers import WebServer, serving
from tests.unit.alerts.test_alerts import DAY, REPORTS, configured, deliver, over, row

OWNERS = {"triage": "ana", "support/polite": "max", "valid": "eve", "*": "desk"}


def incident(severity: str = "critical", subject: str = "i-1", **evidence: Any) -> dict[str, Any]:
    usual = {"state": "open", "title": f"Title of {subject}", "nights": 1, "routes": ["triage"]}
    return row(severity, subject=subject, evidence_json=json.dumps(usual | evidence))


def digest(*rows: dict[str, Any], owners: dict[str, str] | None = None) -> Digest:
    return build(rows, "desk", DAY, REPORTS, OWNERS if owners is None else owners)


def alert(**more: Any) -> Alert:
    return Alert.model_validate({"kind": "webhook", "url": "http://127.0.0.1/"} | more)


def subjects(part: Digest) -> list[str]:
    return [item.subject for item in part.items]


@pytest.mark.parametrize(
    ("subject", "evidence", "owners"),
    [
        ("i-1", {"routes": ["triage"], "breaches": ["drift triage/output/n_words"]}, ("ana",)),
        ("i-1", {"routes": ["triage"], "breaches": ["drift triage/output/criterion:valid"]}, ("eve",)),
        (
            "i-1",
            {"routes": ["support"], "breaches": ["pass_rate support/polite", "pass_rate support/valid"]},
            ("max", "eve"),
        ),
        ("i-1", {"routes": ["other", "triage"], "breaches": []}, ("ana",)),
        ("i-1", {"routes": ["other"], "breaches": ["volume other/input/n"]}, ("desk",)),
        ("triage", {}, ("ana",)),
        ("triage/candidate", {}, ("ana",)),
        ("gateway", {}, ("desk",)),
    ],
)
def test_the_owner_is_of_the_criterion_else_of_the_route_else_of_all_else(
    subject: str, evidence: dict[str, Any], owners: tuple[str, ...]
) -> None:
    assert owners_of(OWNERS, subject, evidence) == owners
    assert owners_of({}, subject, evidence) == ()


def test_a_route_with_a_slash_in_its_name_has_its_owner() -> None:
    assert owners_of({"a/b": "ana"}, "i", {"breaches": ["drift a%2Fb/output/n_words"]}) == ("ana",)


def test_an_alert_gets_the_severities_that_it_names_or_the_least_and_worse() -> None:
    told = digest(incident("critical", "i-1"), incident("warning", "i-2"))
    for given, expected in [
        ({}, ["i-1", "i-2"]),
        ({"severity": ["critical"]}, ["i-1"]),
        ({"severity": "critical"}, ["i-1"]),
        ({"severity": ["warning"]}, ["i-2"]),
        ({"severity": "warning"}, ["i-1", "i-2"]),
    ]:
        target = alert(**given)
        assert subjects(part_for(told, target, [target])) == expected


def test_an_owner_gets_what_is_theirs_and_an_alert_without_owner_everything() -> None:
    told = digest(incident(subject="i-1"), incident(subject="i-2", routes=["other"]))
    mine, everyone = alert(owner="ana"), alert()
    assert subjects(part_for(told, mine, [mine, everyone])) == ["i-1"]
    assert subjects(part_for(told, everyone, [mine, everyone])) == ["i-1", "i-2"]


def test_what_nobody_with_an_alert_owns_is_told_to_all_where_every_alert_has_an_owner() -> None:
    told = digest(incident(subject="i-1"), incident(subject="i-2", routes=["other"]))
    ana, max_ = alert(owner="ana"), alert(owner="max")
    assert subjects(part_for(told, ana, [ana, max_])) == ["i-1", "i-2"]
    assert subjects(part_for(told, max_, [ana, max_])) == ["i-2"]


def test_an_end_is_told_to_those_who_were_told_of_the_beginning() -> None:
    ended = over() | {"evidence_json": json.dumps({"state": "recovered", "title": "T", "severity": "warning"})}
    noted = over() | {"evidence_json": json.dumps({"state": "recovered", "title": "N", "severity": "info"})}
    told = digest(ended, noted)
    assert told.over == ("recovered: T",)
    woken, all_ = alert(severity=["critical"]), alert()
    assert not part_for(told, woken, [woken, all_]).is_news
    assert part_for(told, all_, [woken, all_]).over == ("recovered: T",)


def test_a_target_without_news_of_its_own_gets_nothing(tmp_path: Path) -> None:
    with serving(WebServer()) as server:
        targets = [
            alert(url=f"http://{server.address}/critical", severity=["critical"]),
            alert(url=f"http://{server.address}/all"),
        ]
        assert deliver(digest(incident("warning")), targets, tmp_path / "sent.json") == Delivered(sent=1)
    assert [path for _, path, _ in server.requests] == ["/all"]


def test_one_address_for_two_owners_gets_both_parts(tmp_path: Path) -> None:
    with serving(WebServer()) as server:
        url = f"http://{server.address}/"
        targets = [alert(url=url, owner="ana"), alert(url=url, owner="max")]
        told = digest(incident(), incident(subject="i-2", breaches=["pass_rate support/polite"]))
        assert deliver(told, targets, tmp_path / "sent.json") == Delivered(sent=2)
        assert deliver(told, targets, tmp_path / "sent.json") == Delivered(already=2)
    parts = [[item["subject"] for item in json.loads(body)["items"]] for _, _, body in server.requests]
    assert parts == [["i-1"], ["i-2"]]


def test_incidents_alike_come_in_the_order_of_needs_and_say_need_owner_and_commands() -> None:
    told = digest(
        incident(subject="i-1", need="cost"),
        incident(subject="i-2", need="reliability", example_call_ids=["c 1"], routes=["$(rm x)"]),
    )
    assert subjects(told) == ["i-2", "i-1"]
    text = messages.slack(told)["blocks"][1]["text"]["text"]
    assert text.split("\n")[-4:] == [
        "in question: reliability",
        "owner: desk",
        "example calls: c 1",
        "look: genchi breaches --day 2026-03-02 --route '$(rm x)'; genchi show 'c 1'; genchi ack i-2",
    ]


QUOTING = {
    "title": 'All outputs are the same text: "SORRY"',
    "without_texts": {"title": "All outputs are the same text", "summary": "They repeat."},
    "example_call_ids": ["c-1", "c-2", "c-3"],
}


def night(folder: Path, *targets: dict[str, Any], **more: Any) -> Digest:
    config = configured(folder, *targets).model_copy(update=more)
    lake = config.open_lake()
    rows = [incident(**QUOTING) | {"observed": 'All outputs are the same text: "SORRY". They repeat "SORRY".'}]
    with lake.lock("test"):
        lake.write("expectation_results", DAY, from_rows(rows, "expectation_results"))
        calls = [
            {
                "call_id": f"c-{n}",
                "input_text": f"my card\n{n}",
                "output_text": "SORRY " * 99,
            }
            for n in (1, 2, 3)
        ]
        lake.write("interactions", DAY, from_rows(calls, "interactions"))
    told = of_night(config, DAY)
    return part_for(told, config.alerts[-1], config.alerts)


def test_no_alert_quotes_users_or_answers_unless_it_says_so(tmp_path: Path) -> None:
    target = {"kind": "webhook", "url": "http://127.0.0.1/"}
    quiet = night(tmp_path / "a", target | {"evidence": "texts"}, target)
    assert "SORRY" not in json.dumps(messages.webhook(quiet)) + json.dumps(messages.slack(quiet)) + quiet.headline
    assert quiet.items[0].observed == "All outputs are the same text. They repeat."
    quoting = night(tmp_path / "b", target | {"evidence": "texts"})
    assert quoting.items[0].title == 'All outputs are the same text: "SORRY"'
    first, second = quoting.items[0].examples
    assert first.startswith('c-1: "my card 1" was answered: "SORRY SORRY')
    assert len(first) < 600
    assert second.startswith('c-2: "my card 2"')


def test_where_the_page_has_ids_alone_no_alert_has_texts(tmp_path: Path) -> None:
    told = night(tmp_path, {"kind": "webhook", "url": "http://127.0.0.1/", "evidence": "texts"}, evidence="ids")
    assert told.items[0].examples == ()


@pytest.mark.parametrize(
    ("alerts", "said"),
    [
        ("[{kind: apprise}]", "kind `apprise` takes a `url`"),
        ("[{kind: prefect, block: slack}]", "such as slack-webhook/my-block"),
        ("[{kind: slack, url: x, block: a/b}]", "takes a `url`, and no `block`"),
        ("[{kind: slack, url: x, severity: [info]}]", "severity"),
        ("[{kind: slack, url: x, severity: []}]", "severity"),
        ("[{kind: slack, url: x, owner: anna}]", "no such owner 'anna' in `owners`; did you mean `ana`?"),
    ],
)
def test_a_wrong_alert_is_one_line_that_says_how_to_mend_it(alerts: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "genchi.yaml"
    path.write_text(f"app: a\nlake: lake\nowners: {{triage: ana}}\nalerts: {alerts}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)

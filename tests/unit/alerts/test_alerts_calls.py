"""The calls to look at go along with the incident that they show."""

import json
from datetime import date
from typing import Any

from flows.alerts import messages
from flows.alerts.digest import Digest, build


def _evidence(given: Any) -> str:
    return json.dumps({"title": "Outputs fell", "state": "open", **given} if isinstance(given, dict) else given)


def digest(*found: Any, suite: str = "verdicts", observed: str = "Outputs fell.") -> Digest:
    usual = {"suite": suite, "expectation": "no_critical_incident", "success": False, "severity": "critical"}
    told = {"observed": observed, "expected": "no critical incident"}
    rows = [usual | told | {"subject": f"drift:{n}", "evidence_json": _evidence(each)} for n, each in enumerate(found)]
    return build(rows, "desk", date(2026, 3, 2), "/reports/2026-03-02")


def slack(told: Digest) -> list[str]:
    return [block["text"]["text"] for block in messages.slack(told)["blocks"][1:-1]]


def test_each_item_carries_its_calls_and_hostile_ones_stay_text_on_one_line() -> None:
    told = digest({"example_call_ids": ["c-1", "<!here>\n&c-2"]}, {"example_call_ids": None}, {}, [])
    sent = json.loads(json.dumps(messages.webhook(told)))
    assert [item["calls"] for item in sent["items"]] == [["c-1", "<!here> &c-2"], [], [], []]
    with_calls, *others = slack(told)
    assert with_calls.split("\n")[1:] == [
        "example calls: c-1, &lt;!here&gt; &amp;c-2",
        "look: genchi breaches --day 2026-03-02; genchi show c-1; genchi ack drift:0",
    ]
    assert all("calls:" not in text for text in others)


def test_only_an_incident_has_calls() -> None:
    assert digest({"example_call_ids": ["c-1"]}, suite="holdout").items[0].calls == ()


def test_calls_of_any_length_stay_within_slacks_limits_and_leave_room_for_what_was_seen() -> None:
    (text,) = slack(digest({"example_call_ids": ["&" * 5000]}, observed="s" * 9000))
    assert len(text) <= 3000
    assert text.count("s") > 2000
    assert "&amp;… (" in text
    assert text.index("s" * 2000) < text.index("example calls: &amp;")


def test_of_many_calls_a_message_names_the_first_and_counts_the_others() -> None:
    (text,) = slack(digest({"example_call_ids": [f"c-{n}" for n in range(12)]}))
    assert "\nexample calls: c-0, c-1, c-2, c-3 and 8 more\n" in text

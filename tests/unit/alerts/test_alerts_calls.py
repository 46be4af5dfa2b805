"""The calls to look at go along with the breach that they show."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from flows.alerts import messages
from flows.alerts.digest import Digest, build

LAST = "page: /reports/2026-03-02/index.html"


def digest(*found: Any, suite: str = "verdicts", observed: str = "Outputs fell.") -> Digest:
    usual = {"suite": suite, "expectation": "no_critical_breach", "success": False, "severity": "critical"}
    told = {"observed": observed, "expected": "no critical breach"}
    rows = [usual | told | {"subject": f"drift:{n}", "evidence_json": json.dumps(each)} for n, each in enumerate(found)]
    return build(rows, "desk", date(2026, 3, 2), Path("/reports/2026-03-02"))


def slack(told: Digest) -> list[str]:
    return [block["text"]["text"] for block in messages.slack(told)["blocks"][1:-1]]


def test_each_item_carries_its_calls_and_hostile_ones_stay_text_on_one_line() -> None:
    told = digest({"example_call_ids": ["c-1", "<!here>\n&c-2"]}, {"example_call_ids": None}, {}, [])
    sent = json.loads(json.dumps(messages.webhook(told)))
    assert [item["calls"] for item in sent["items"]] == [["c-1", "<!here> &c-2"], [], [], []]
    with_calls, *others = slack(told)
    assert with_calls.endswith(f"\nexample calls: c-1, &lt;!here&gt; &amp;c-2\n{LAST}")
    assert all("calls:" not in text for text in others)


def test_only_a_breach_has_calls() -> None:
    assert digest({"example_call_ids": ["c-1"]}, suite="holdout").items[0].calls == ()


def test_calls_of_any_length_stay_within_slacks_limits_and_leave_room_for_what_was_seen() -> None:
    (text,) = slack(digest({"example_call_ids": ["&" * 5000]}, observed="s" * 9000))
    assert len(text) <= 3000
    assert text.count("s") > 2000
    assert "&amp;… (" in text
    assert text.endswith(LAST)

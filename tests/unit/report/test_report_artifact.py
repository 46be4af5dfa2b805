"""The artifact says what the page says, and Markdown cannot be smuggled into it."""

import re
from pathlib import Path

from flows.report.artifact import key_of, markdown, plain
from flows.report.facts import read_facts
from flows.report.page import write_report
from tests.unit.report import synthetic


def test_the_artifact_carries_the_verdict_the_breaches_and_the_answers(tmp_path: Path) -> None:
    config = synthetic.night(tmp_path)
    text = markdown(read_facts(config, synthetic.DAY), write_report(config, synthetic.DAY))
    assert text.startswith("# Broken\n")
    assert "triage/output/json\\_is\\_object" in text
    assert "Can sim/small replace sim/pinned? **No.**" in text
    assert "&lt;img src=x onerror=alert\\(1\\)" in text
    assert "<img" not in text


def test_markdown_in_a_text_stays_text() -> None:
    hostile = "# a\n[x](javascript:alert(1)) `c` **b** <b> | ![i](http://h)"
    assert plain(hostile) == (
        "\\# a \\[x\\]\\(javascript\\:alert\\(1\\)\\) \\`c\\` \\*\\*b\\*\\* &lt;b\\> \\| \\!\\[i\\]\\(http\\://h\\)"
    )


def test_each_app_has_an_artifact_key_of_its_own_in_characters_that_prefect_allows() -> None:
    keys = [key_of(app) for app in ("support-desk", "Support Desk", "support_desk", "サポート", "")]
    assert keys[0] == "genchi-night-support-desk"
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", key) for key in keys)

"""The artifact says what the page says, and Markdown cannot be smuggled into it."""

import re
from pathlib import Path

from flows.report.artifact import key_of, markdown, plain
from flows.report.facts import read_facts
from flows.report.page import write_report
from tests.unit.report import synthetic


def test_the_artifact_carries_the_verdict_the_incidents_and_the_answers(tmp_path: Path) -> None:
    config = synthetic.night(tmp_path)
    text = markdown(read_facts(config, synthetic.DAY), write_report(config, synthetic.DAY))
    assert text.startswith("# Broken\n")
    assert "- **critical**, night 3, since 12 May: Another model seems to answer as gpt\\-4\\-0613\\: 39 %" in text
    assert "- **warning**, recovered: Calls of reply took 3\\.1 s instead of 0\\.7 s" in text
    assert "Can sim/small replace sim/pinned? **No.**" in text
    assert "<" not in text


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

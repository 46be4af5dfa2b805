"""Suites of a workspace: run beside genchi's own, with their severities, and never in their way."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.cli.doctor.extension_checks import extension_findings
from flows.config import Config
from flows.lake.lake import from_rows
from tests.examples import WORKSPACE

pytestmark = pytest.mark.filterwarnings(
    # great_expectations 1.24 imports them, for itself
    r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning"
)

DAY = date(2026, 3, 2)
GOOD = (WORKSPACE / "expectations" / "usage.py").read_text(encoding="utf-8")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "expectations").mkdir()
    config = Config(path=tmp_path / "genchi.yaml", app="desk", lake=tmp_path / "lake", reports=tmp_path / "reports")
    calls = [
        {"call_id": str(n), "route": route, "latency_ms": slow, "started_at": datetime(2026, 3, 2, tzinfo=UTC)}
        for n, (route, slow) in enumerate([("a", 10.0), ("a", 10.0), ("b", 9000.0)])
    ]
    config.open_lake().write("interactions", DAY, from_rows(calls, "interactions"))
    return config


def checked(config: Config, **files: str) -> dict[tuple[str, str, str], tuple[bool, str, str]]:
    """What a night finds, by key: whether it holds, its severity, and what was seen."""
    from expectations.validate import validate

    for name, text in files.items():
        (config.workspace / "expectations" / f"{name}.py").write_text(text, encoding="utf-8")
    found = validate(config, DAY)
    landed = config.open_lake().read("expectation_results", DAY).to_pylist()
    assert len(landed) == len({(one["suite"], one["expectation"], one["subject"]) for one in landed}) == len(found)
    return {(one.suite, one.expectation, one.subject): (one.success, one.severity, one.observed) for one in found}


def test_a_suite_of_the_workspace_has_its_results_and_its_page(config: Config) -> None:
    found = checked(config, usage=GOOD)
    assert found == {
        ("usage", "expect_column_values_to_be_between_calls", "b"): (False, "critical", "calls is 1"),
        ("usage", "calls_are_fast", "b"): (False, "warning", "100% of 1 calls took more than 2 s"),
        ("usage", "expect_table_row_count_to_be_between", "*"): (True, "warning", "as expected"),
    }
    docs = config.reports / str(DAY) / "data_docs"
    assert "calls" in (docs / "usage.html").read_text(encoding="utf-8")
    assert "usage.html" in (docs / "index.html").read_text(encoding="utf-8")
    assert [one.text for one in extension_findings(config)] == ["suite usage: of this workspace, can be run"]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("mine", "1 / 0", "fails to load: ZeroDivisionError: division by zero"),
        (
            "mine",
            "def frame(night):\n    return 1 / 0\ndef suite(night):\n    return []\n",
            "`frame`: ZeroDivisionError",
        ),
        ("mine", "def frame(night):\n    return 1\ndef suite(night):\n    return []\n", "must return a pandas table"),
        ("mine", "def suite(night):\n    return []\n", r"has no function `frame\(night\)`"),
        ("mine", GOOD.replace('column="calls"', 'column="absent"'), "absent"),
        ("mine", GOOD.replace("{slow_share:.0%}", "{nothing}"), "KeyError: 'nothing'"),
        (
            "mine",
            GOOD.replace("meta={", "meta={'need': 'speed', "),
            r"calls_are_fast: unknown need 'speed' in `meta` \(reli",
        ),
        ("mine", GOOD + "def actions(night):\n    pass\n", "`actions` must return a list of ValidationAction"),
        ("verdicts", GOOD, "`verdicts` is a name of genchi's own suites; rename the file"),
        ("my-suite", GOOD, "a suite's name is a letter, then letters, digits and `_`; rename the file"),
    ],
)
def test_a_suite_that_cannot_run_is_a_critical_result_with_its_file_and_hides_no_other(
    config: Config, name: str, text: str, problem: str
) -> None:
    import re

    found = checked(config, usage=GOOD, **{name: text})
    mine = [seen for (suite, _, subject), seen in found.items() if suite == name and subject == "*" and not seen[0]]
    assert any(severity == "critical" and re.search(problem, seen) for _, severity, seen in mine), mine
    assert all("\n" not in seen for _, _, seen in mine)
    assert ("usage", "calls_are_fast", "b") in found


def test_two_expectations_of_one_name_are_told_apart_and_a_subject_has_one_row(config: Config) -> None:
    twice = GOOD.replace(
        "    return [\n", "    return [\n        gxe.ExpectColumnValuesToBeBetween(column='calls', min_value=3),\n"
    )
    found = checked(config, mine=twice, other=GOOD.replace("route as subject", "'all' as subject"))
    names = {name for suite, name, _ in found if suite == "mine"}
    assert {"expect_column_values_to_be_between_calls", "expect_column_values_to_be_between_calls_again"} <= names
    assert "two rows of the subject 'all'" in found["other", "suite_runs", "*"][2]


def test_an_expectation_of_the_workspace_has_the_need_that_it_names_or_else_the_first(config: Config) -> None:
    own = GOOD.replace('meta={"name"', 'meta={"need": "scalability", "name"')
    checked(config, mine=own, broken="1 / 0")
    rows = config.open_lake().read("expectation_results", DAY).to_pylist()
    needs = {one["expectation"]: json.loads(one["evidence_json"])["need"] for one in rows}
    assert needs["calls_are_fast"] == "scalability"
    assert needs["expect_column_values_to_be_between_calls"] == needs["suite_runs"] == "reliability"


def test_a_workspace_adds_actions_of_great_expectations_to_its_checkpoint(config: Config) -> None:
    seen = config.workspace / "seen.txt"
    more = f"""
from pathlib import Path
from typing import Literal
from great_expectations.checkpoint.actions import ValidationAction

class Note(ValidationAction):
    type: Literal["test_note"] = "test_note"
    name: str = "note"

    def run(self, checkpoint_result, action_context=None):
        Path({str(seen)!r}).write_text(f"{{checkpoint_result.name}} {{checkpoint_result.success}}")
        return {{}}

def actions(night):
    return [Note()]
"""
    checked(config, usage=GOOD + more)
    assert seen.read_text() == "usage False"

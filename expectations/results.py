"""Converts Great Expectations' results to rows of the lake's table expectation_results.

Great Expectations decides which rows of a frame fail; this module only describes them.
"""

import json
import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult

from flows.stage_failures import rows_of_failures

EVERYTHING = "*"


@dataclass(frozen=True)
class ExpectationResult:
    """One expectation checked on one subject; the columns of expectation_results."""

    suite: str
    expectation: str
    subject: str
    success: bool
    severity: str
    observed: str
    expected: str
    evidence_json: str


def read(suite: str, frame: pd.DataFrame, validation: ExpectationSuiteValidationResult) -> list[ExpectationResult]:
    """A row for each failing subject, and for passed expectations; an expectation that raised is a critical failure."""
    return [row for result in validation.results for row in _read(suite, frame, result)]


def _read(suite: str, frame: pd.DataFrame, result: ExpectationValidationResult) -> Iterator[ExpectationResult]:
    configured = result.expectation_config
    if configured is None:
        raise ValueError(f"{suite}: a result has no expectation")
    words, severity = _words_of(configured), str(configured.severity.value)

    def row(
        subject: str,
        success: bool,
        observed: str,
        evidence: str = evidence_of({}, words["need"]),
        level: str = severity,
    ) -> ExpectationResult:
        return ExpectationResult(suite, words["name"], subject, success, level, observed, words["expected"], evidence)

    problem = exception(result)
    if problem is not None:
        yield row(EVERYTHING, False, f"could not be checked: {problem}", level="critical")
        return
    failed = {found["subject"] for found in result.result.get("unexpected_index_list") or ()}
    checked = _records(frame, configured.kwargs.get("column"), words["arm"])
    if configured.kwargs.get("column") is None and not failed:  # one on the table as a whole
        value = result.result.get("observed_value")
        yield row(EVERYTHING, bool(result.success), words["passed"] if result.success else f"found {value}")
        return
    for record in checked:
        fails = record["subject"] in failed
        if fails or words["passed"] is None:
            yield row(
                str(record["subject"]),
                not fails,
                words["observed"].format_map(record),
                evidence_of(record, words["need"]),
            )
    if result.success and words["passed"] is not None:
        yield row(EVERYTHING, True, words["passed"])
    if not result.success and not failed & {record["subject"] for record in checked}:
        yield row(EVERYTHING, False, "failed, but Great Expectations named no row")


def exception(result: ExpectationValidationResult) -> str | None:
    """The message of the exception inside an expectation; None without one.

    Great Expectations keeps either one message, or one for each metric that it could not compute.
    """
    info = result.exception_info or {}
    details = [info] if "raised_exception" in info else [one for one in info.values() if isinstance(one, dict)]
    raised = [str(one.get("exception_message")) for one in details if one.get("raised_exception")]
    return " ".join(raised[0].split()) if raised else None


def evidence_of(record: Mapping[Hashable, Any], need: str) -> str:
    """The row's evidence column if it has one, else its numbers and the need in question, as a JSON object."""
    given = record.get("evidence_json")
    if isinstance(given, str):
        return given
    numbers = {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in record.items()
        if key not in ("subject", "summary", "evidence_json")
    }
    return json.dumps({**numbers, "need": need}, ensure_ascii=False)


def _words_of(configured: Any) -> dict[str, Any]:
    """How an expectation is reported: its `meta`, and for one of a workspace what it does not say."""
    given = dict(configured.meta or {})
    column = configured.kwargs.get("column")
    on = f"_{column}" if column else ""
    shown = f"{column} is {{{column}}}" if column else "it does not hold"
    usual = {
        "name": f"{configured.type}{on}",
        "expected": configured.description or f"{configured.type.replace('_', ' ')}{f' ({column})' if column else ''}",
        "observed": shown,
        "passed": "as expected",
        "arm": None,
        "need": "reliability",
    }
    return usual | given


def of_broken_suite(suite: str, problem: str) -> ExpectationResult:
    """A failed critical result for a suite that could not be run."""
    observed, evidence = f"could not be checked: {problem}", evidence_of({}, "reliability")
    return ExpectationResult(suite, "suite_runs", EVERYTHING, False, "critical", observed, "the suite runs", evidence)


def _records(frame: pd.DataFrame, column: str | None, arm: str | None) -> list[dict[Hashable, Any]]:
    """The rows that an expectation on `column` checks; None is all of them."""
    relevant = frame if column is None else frame[frame[column].notna()]
    return (relevant if arm is None else relevant[relevant["arm"] == arm]).to_dict("records")


def of_stages(failures: Sequence[str]) -> list[ExpectationResult]:
    """A failed critical result for each failure of a stage, `name: message`."""
    return [ExpectationResult(**row) for row in rows_of_failures(failures)]

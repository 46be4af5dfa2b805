"""The failures of a night's stages, `name: message`, as rows of the lake's table expectation_results.

A failure is a failed critical expectation, because a stage that did not run must not look like one without findings.
The night hands them to the page and to the digest itself: the lake may be what failed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

SUITE = "stages"


def rows_of_failures(failures: Sequence[str]) -> list[dict[str, Any]]:
    """One row for each failure of a stage."""
    return [
        {
            "suite": SUITE,
            "expectation": "stage_ran",
            "subject": failure.partition(": ")[0],
            "success": False,
            "severity": "critical",
            "observed": failure.partition(": ")[2] or "failed without a message",
            "expected": "the stage completes",
            "evidence_json": "{}",
        }
        for failure in failures
    ]


def with_failures(stored: Iterable[Mapping[str, Any]], failures: Sequence[str]) -> list[Mapping[str, Any]]:
    """The stored results of a night, and those of its failures that are not among them."""
    rows = rows_of_failures(failures)
    told = {row["subject"] for row in rows}
    return [*rows, *(row for row in stored if row["suite"] != SUITE or row["subject"] not in told)]

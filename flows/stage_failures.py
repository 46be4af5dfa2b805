"""The failures of a night's stages, `name: message`, as rows of the lake's table expectation_results.

A failure is a failed critical expectation, because a stage that did not run must not look like one that found nothing.
The night hands them to the page and to the digest itself: the lake may be what failed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

SUITE = "stages"
CAUGHT_UP = "nights before"


def rows_of_failures(failures: Sequence[str]) -> list[dict[str, Any]]:
    """One row for each failure of a stage; that nights before did not run (`CAUGHT_UP`) is a warning."""
    return [_row(*failure.partition(": ")[::2]) for failure in failures]


def _row(subject: str, observed: str) -> dict[str, Any]:
    is_of_before = subject == CAUGHT_UP
    return {
        "suite": SUITE,
        "expectation": "every_night_ran" if is_of_before else "stage_ran",
        "subject": subject,
        "success": False,
        "severity": "warning" if is_of_before else "critical",
        "observed": observed or "failed without a message",
        "expected": "a night for every day" if is_of_before else "the stage completes",
        "evidence_json": '{"need": "reliability"}',
    }


def with_failures(stored: Iterable[Mapping[str, Any]], failures: Sequence[str]) -> list[Mapping[str, Any]]:
    """The stored results of a night, and those of its failures that are not among them."""
    rows = rows_of_failures(failures)
    told = {row["subject"] for row in rows}
    return [*rows, *(row for row in stored if row["suite"] != SUITE or row["subject"] not in told)]

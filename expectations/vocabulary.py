"""The kinds of expectation in the suites, each with its words.

Every expectation checks one column of a frame with one row per subject; a null means "no evidence" and is not checked.
The report of a row is a format string over the row's columns: `"{calls:,} calls"`.
"""

from dataclasses import asdict, dataclass, replace

from great_expectations.expectations.core.expect_column_values_to_be_between import ExpectColumnValuesToBeBetween
from great_expectations.expectations.core.expect_column_values_to_not_be_in_set import (
    ExpectColumnValuesToNotBeInSet,
)
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.expectations.row_conditions import Column

from flows.config import Severity


@dataclass(frozen=True)
class Words:
    """How an expectation is reported.

    `passed` is the line for all rows if none fails; None reports each row. `arm` limits the check to its rows. `need`
    is what users need that is in question where it fails, one of `flows.incidents.NEEDS`.
    """

    name: str
    expected: str
    observed: str
    passed: str | None = None
    arm: str | None = None
    need: str = "reliability"


def some(column: str, severity: Severity, words: Words) -> Expectation:
    """Every count in `column` is at least 1."""
    return _between(column, 1, None, severity, words)


def none(column: str, severity: Severity, words: Words) -> Expectation:
    """Every count in `column` is 0."""
    return _between(column, None, 0, severity, words)


def at_most(column: str, limit: float, severity: Severity, words: Words) -> Expectation:
    """Every share in `column` is `limit` (a row of thresholds.csv) or less.

    `{limit}` in `words.expected` is replaced by the limit in percent.
    """
    expected = words.expected.format(limit=f"{100 * limit:g} %")
    return _between(column, None, limit, severity, replace(words, expected=expected))


def at_least(column: str, limit: float, severity: Severity, words: Words) -> Expectation:
    """Every share in `column` is `limit` (a row of thresholds.csv) or more; `{limit}` is replaced as in `at_most`."""
    expected = words.expected.format(limit=f"{100 * limit:g} %")
    return _between(column, limit, None, severity, replace(words, expected=expected))


def most_times(column: str, limit: float, severity: Severity, words: Words) -> Expectation:
    """Every ratio in `column` is `limit` (a row of thresholds.csv) or less; `{limit}` is replaced by the number."""
    return _between(column, None, limit, severity, replace(words, expected=words.expected.format(limit=f"{limit:g}")))


def never(column: str, value: str, severity: Severity, words: Words) -> Expectation:
    """No row has `value` in `column`."""
    return ExpectColumnValuesToNotBeInSet(
        column=column,
        value_set=[value],
        severity=FailureSeverity(severity),
        description=words.expected,
        meta=asdict(words),
    )


def _between(column: str, least: float | None, most: float | None, severity: Severity, words: Words) -> Expectation:
    return ExpectColumnValuesToBeBetween(
        column=column,
        min_value=least,
        max_value=most,
        severity=FailureSeverity(severity),
        description=words.expected,
        meta=asdict(words),
        row_condition=None if words.arm is None else Column("arm") == words.arm,
    )

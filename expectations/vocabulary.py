"""The few kinds of expectation that the suites are made of, each with its words.

Every expectation speaks of one column of a frame that has one row a subject; a null is "no evidence" and is
not judged. What is said of a row is a format string over the row's columns: `"{calls:,} calls"`.
"""

from dataclasses import asdict, dataclass

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
    """How an expectation is reported. `passed` stands for all rows where none fails; None reports each row."""

    name: str
    expected: str
    observed: str
    passed: str | None = None
    arm: str | None = None


def at_least(column: str, least: float, severity: Severity, words: Words) -> Expectation:
    """Every value of `column` is `least` or more."""
    return _between(column, least, None, severity, words)


def at_most(column: str, most: float, severity: Severity, words: Words) -> Expectation:
    """Every value of `column` is `most` or less; a row is one of `words.arm` where that is given."""
    return _between(column, None, most, severity, words)


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

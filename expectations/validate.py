"""Runs the suites, genchi's own and the workspace's, each as a Checkpoint: selects those that apply, uses one context,
writes results to the lake and Data Docs to reports.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from typing import Protocol

import great_expectations as gx
import pandas as pd
from great_expectations.core import ExpectationSuiteValidationResult

from expectations import (
    checkpoints,
    data_docs,
    eval_outputs,
    holdout,
    landed_logs,
    night_suite,
    results,
    reviewing,
    verdicts,
)
from expectations.results import ExpectationResult
from expectations.workspace_suites import suites_of
from flows.config import Config, sizes_by_risk
from flows.errors import RunError, in_one_line
from flows.lake import from_rows
from flows.marts import open_marts
from flows.stage_failures import SUITE

_logger = logging.getLogger(__name__)
# What no suite of a workspace may be called: the suites of genchi's own, that of failed stages, and a page beside them.
NAMES = (
    *(one.NAME for one in (landed_logs, holdout, eval_outputs, verdicts, night_suite, reviewing)),
    *(SUITE, "index"),
)


class Suite(Protocol):
    """The interface of a suite module."""

    NAME: str

    def frame(self, config: Config, day: date) -> pd.DataFrame:
        """The table to validate, one row per `subject`."""

    def suite(self, config: Config) -> gx.ExpectationSuite:
        """The expectations on it."""


def validate(config: Config, day: date, failures: Sequence[str] = ()) -> tuple[ExpectationResult, ...]:
    """Check every suite that applies to `day`; replace the day's results in the lake and its Data Docs.

    `failures` are the failed stages of the night; each is a failed critical expectation, because a stage that did not
    run must not look like one that found nothing. Raises RunError if a suite's table cannot be built (the marts are
    missing, the warehouse is locked); the day's results are then `failures` and the error.
    """
    try:
        found = [*results.of_stages(failures), *_validate(config, day)]
    except Exception as error:
        with suppress(Exception):  # whatever it is, the first error is the one to tell
            _land(config, day, results.of_stages([*failures, f"check: {error}"]))
        raise
    _land(config, day, found)
    _logger.info("%d expectations checked, %d failed", len(found), sum(not result.success for result in found))
    return tuple(found)


def failures_of_evaluation(config: Config, day: date) -> list[ExpectationResult]:
    """The failed critical expectations on a day's test sets, answers and verdicts. Stores nothing: that is the night's.

    Raises RunError as `validate` does.
    """
    context, found = checkpoints.new_context(), list[ExpectationResult]()
    for module in (holdout, eval_outputs, verdicts):
        frame = module.frame(config, day)
        checkpoints.run(context, module.suite(config), frame, [checkpoints.KeepResults().of(frame, found)])
    return [result for result in found if not result.success and result.severity == "critical"]


def _land(config: Config, day: date, found: Sequence[ExpectationResult]) -> None:
    rows = from_rows(map(asdict, found), "expectation_results")
    config.open_lake().write("expectation_results", day, rows)


def _validate(config: Config, day: date) -> list[ExpectationResult]:
    context = checkpoints.new_context()
    found: list[ExpectationResult] = []
    validations: dict[str, ExpectationSuiteValidationResult] = {}
    for module in applicable(config):
        frame = module.frame(config, day)
        keep = checkpoints.KeepResults().of(frame, found)
        validations[module.NAME] = checkpoints.run(context, module.suite(config), frame, [keep])
    for own in suites_of(config.workspace, NAMES):
        try:
            frame = own.frame(config, day)
            keep = checkpoints.KeepResults().of(frame, found)
            actions = [keep, *own.actions(config, day)]
            validations[own.NAME] = checkpoints.run(context, own.suite(config, day), frame, actions)
        except Exception as error:  # it must not hide what the other suites found
            told = error if isinstance(error, RunError) else RunError(f"{own.file}: {in_one_line(error)}")
            found.append(results.of_broken_suite(own.NAME, str(told)))
    data_docs.write(config.reports / day.isoformat() / "data_docs", config.app, day, validations, found)
    return found


def applicable(config: Config) -> Iterator[Suite]:
    """The suites of genchi's own that the configuration requires, in the order of the night."""
    if config.sources:
        yield landed_logs
    if config.evaluates:
        yield holdout
        yield eval_outputs
    if open_marts(config).exists():
        yield verdicts
        yield night_suite
        if config.review.rota and any(sizes_by_risk(config, "review_samples").values()):
            yield reviewing


def broken_suites(config: Config) -> Iterator[tuple[str, str]]:
    """The name of each suite of the workspace, and why it cannot be used; an empty text where it can."""
    for own in suites_of(config.workspace, NAMES):
        try:
            own.check()
        except RunError as error:
            yield own.NAME, str(error)
        else:
            yield own.NAME, ""

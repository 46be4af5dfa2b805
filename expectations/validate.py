"""Runs the suites: selects those that apply, uses one context, writes results to the lake and Data Docs to reports."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import date
from typing import Protocol

import great_expectations as gx
import pandas as pd
from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from expectations import data_docs, eval_outputs, holdout, landed_logs, night_suite, results, reviewing, verdicts
from expectations.results import ExpectationResult
from flows.config import Config, sizes_by_risk
from flows.lake import from_rows

_logger = logging.getLogger(__name__)


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
    context, found = new_context(), list[ExpectationResult]()
    for module in (holdout, eval_outputs, verdicts):
        frame = module.frame(config, day)
        found += results.read(module.NAME, frame, check(context, module.NAME, module.suite(config), frame))
    return [result for result in found if not result.success and result.severity == "critical"]


def _land(config: Config, day: date, found: Sequence[ExpectationResult]) -> None:
    rows = from_rows(map(asdict, found), "expectation_results")
    config.open_lake().write("expectation_results", day, rows)


def _validate(config: Config, day: date) -> list[ExpectationResult]:
    context = new_context()
    found: list[ExpectationResult] = []
    validations: dict[str, ExpectationSuiteValidationResult] = {}
    for module in applicable(config):
        frame = module.frame(config, day)
        validations[module.NAME] = check(context, module.NAME, module.suite(config), frame)
        found += results.read(module.NAME, frame, validations[module.NAME])
    data_docs.write(config.reports / day.isoformat() / "data_docs", config.app, day, validations, found)
    return found


def applicable(config: Config) -> Iterator[Suite]:
    """The suites that the configuration requires, in the order of the night."""
    if config.sources:
        yield landed_logs
    if config.evaluates:
        yield holdout
        yield eval_outputs
    if config.warehouse.exists():
        yield verdicts
        yield night_suite
        if config.review.rota and any(sizes_by_risk(config, "review_samples").values()):
            yield reviewing


def check(
    context: EphemeralDataContext, name: str, suite: gx.ExpectationSuite, frame: pd.DataFrame
) -> ExpectationSuiteValidationResult:
    """Validate one frame, with every failing row named by its subject (and its summary where it has one)."""
    named_by = [column for column in ("subject", "summary") if column in frame.columns]
    asset = context.data_sources.add_or_update_pandas(name).add_dataframe_asset(name)
    batch = asset.add_batch_definition_whole_dataframe(name).get_batch(batch_parameters={"dataframe": frame})
    return batch.validate(suite, result_format={"result_format": "COMPLETE", "unexpected_index_column_names": named_by})


def new_context() -> EphemeralDataContext:
    """A context that stores nothing, prints nothing and sends nothing."""
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)

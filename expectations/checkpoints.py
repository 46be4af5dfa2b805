"""A suite as a Checkpoint of Great Expectations: one validation definition, and the actions on its result.

To act on the results of a suite, add a `ValidationAction` to `actions`: one of Great Expectations (a message to Slack,
e-mail), or one of yours. `UpdateDataDocsAction` is not among genchi's own: its site loads styles and scripts from six
hosts, and prints values of failing rows unescaped. `data_docs.py` renders the same pages, so that they work offline.
"""

from collections.abc import Sequence
from typing import Any, Literal

import great_expectations as gx
import pandas as pd
from great_expectations.checkpoint.actions import ActionContext, ValidationAction
from great_expectations.checkpoint.checkpoint import CheckpointResult
from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from pydantic.v1 import PrivateAttr

from expectations import results
from expectations.results import ExpectationResult


class KeepResults(ValidationAction):
    """Keeps the rows of `expectation_results` that a validation comes to, for the lake, the page and the digest."""

    type: Literal["genchi_results"] = "genchi_results"
    name: str = "results"
    _frame: pd.DataFrame = PrivateAttr()
    _kept: list[ExpectationResult] = PrivateAttr()

    def of(self, frame: pd.DataFrame, kept: list[ExpectationResult]) -> "KeepResults":
        """The same action, for a frame; what it finds is added to `kept`."""
        self._frame, self._kept = frame, kept
        return self

    def run(self, checkpoint_result: CheckpointResult, action_context: ActionContext | None = None) -> dict[str, Any]:
        """Read the result of each validation."""
        for validation in checkpoint_result.run_results.values():
            self._kept += results.read(validation.suite_name, self._frame, validation)
        return {}


def run(
    context: EphemeralDataContext,
    suite: gx.ExpectationSuite,
    frame: pd.DataFrame,
    actions: Sequence[ValidationAction] = (),
) -> ExpectationSuiteValidationResult:
    """Run the checkpoint of one suite on its frame, with every failing row named by its subject (and its summary where
    it has one), and its actions.
    """
    named_by = [column for column in ("subject", "summary") if column in frame.columns]
    asset = context.data_sources.add_pandas(suite.name).add_dataframe_asset(suite.name)
    definition = gx.ValidationDefinition(
        name=suite.name,
        data=asset.add_batch_definition_whole_dataframe(suite.name),
        suite=context.suites.add(suite),
    )
    checkpoint = gx.Checkpoint(
        name=suite.name,
        validation_definitions=[context.validation_definitions.add(definition)],
        actions=list(actions),
        result_format={"result_format": "COMPLETE", "unexpected_index_column_names": named_by},
    )
    found = checkpoint.run(batch_parameters={"dataframe": frame})
    (validation,) = found.run_results.values()
    return validation


def new_context() -> EphemeralDataContext:
    """A context that stores nothing, prints nothing and sends nothing."""
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)

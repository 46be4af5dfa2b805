"""The transform stage as a Prefect flow. Wiring only."""

from datetime import date

from flows.config import Config
from flows.prefect_run import STAGE_S, flow
from flows.transform.build import EVERYTHING, BuildResult, build
from flows.transform.workspace_models import WorkspaceBuild, build_workspace


@flow(name="transform", flow_run_name="transform {first} to {last}", timeout_seconds=STAGE_S)
def transform(config: Config, first: date, last: date, selector: str = EVERYTHING) -> BuildResult:
    """Build the warehouse of the workspace for the days from `first` to `last`."""
    return build(config, first, last, selector)


@flow(name="workspace", flow_run_name="workspace {first} to {last}", timeout_seconds=STAGE_S)
def workspace_models(config: Config, first: date, last: date) -> WorkspaceBuild:
    """Build the workspace's own models for the days from `first` to `last`, after `transform`."""
    return build_workspace(config, first, last)

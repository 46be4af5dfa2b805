"""The transform stage as a Prefect flow. Wiring only."""

from datetime import date

from flows.config import Config
from flows.prefect_run import STAGE_S, flow
from flows.transform.build import EVERYTHING, BuildResult, build


@flow(name="transform", flow_run_name="transform {first} to {last}", timeout_seconds=STAGE_S)
def transform(config: Config, first: date, last: date, selector: str = EVERYTHING) -> BuildResult:
    """Build the warehouse of the workspace for the days from `first` to `last`."""
    return build(config, first, last, selector)

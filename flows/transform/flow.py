"""The transform stage as a Prefect flow. Wiring only."""

from datetime import date

from prefect import flow

from flows.config import load_config
from flows.transform.build import EVERYTHING, BuildResult, build


@flow(name="transform", persist_result=False)
def transform(config_path: str, first: date, last: date, selector: str = EVERYTHING) -> BuildResult:
    """Build the warehouse of the workspace at `config_path` for the days from `first` to `last`."""
    return build(load_config(config_path), first, last, selector)

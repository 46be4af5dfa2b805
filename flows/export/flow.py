"""The export stage as a Prefect flow. Wiring only."""

from datetime import date

from flows.config import Config
from flows.export.exporting import Exported, export_tables
from flows.export.published_rows import publish_marts
from flows.marts import Published
from flows.prefect_run import STAGE_S, flow, task


@task(name="publish the marts")
def publish(config: Config, first: date, last: date) -> Published:
    """Bring the marts in the lake in line with the warehouse. The caller is a run."""
    return publish_marts(config, first, last)


@task(name="write the tables")
def write(config: Config) -> Exported:
    """Bring the tables of `export` in line with what is published."""
    return export_tables(config)


@flow(name="export", flow_run_name="export {first} to {last}", timeout_seconds=STAGE_S)
def export(config: Config, first: date, last: date) -> str:
    """Publish what was built for the days from `first` to `last`, and write the tables; returns both in one line."""
    published = publish(config, first, last).summary()
    return f"{published}; {write(config).summary()}" if config.export else published

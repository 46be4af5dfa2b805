"""The flow of the report: the page, then the artifact."""

from datetime import date

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows import config as configuration
from flows.config import Config
from flows.report import artifact, page
from flows.report.facts import read_facts
from flows.report.page import ReportResult


@task(name="write page", cache_policy=NO_CACHE)
def write(config: Config, day: date) -> ReportResult:
    """The page, in its place."""
    return page.write_report(config, day)


@task(name="publish verdict", cache_policy=NO_CACHE)
def publish(config: Config, day: date, result: ReportResult) -> None:
    """The same verdict on Prefect's pages."""
    artifact.publish(read_facts(config, day), result)


@flow(name="report")
def report(config_path: str, day: date) -> ReportResult:
    """Write the page of `day` and publish its verdict."""
    config = configuration.load(config_path)
    result = write(config, day)
    publish(config, day, result)
    return result

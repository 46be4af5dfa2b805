"""The flow of the report: the page, then the artifact."""

from datetime import date

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.config import Config, load_config
from flows.report import artifact, page
from flows.report.facts import read_facts
from flows.report.page import ReportResult
from flows.report.rows import Facts


@task(name="write page", cache_policy=NO_CACHE, persist_result=False)
def write(config: Config, facts: Facts) -> ReportResult:
    """The page, in its place."""
    return page.lay_out(config, facts)


@task(name="publish verdict", cache_policy=NO_CACHE, persist_result=False)
def publish(facts: Facts, result: ReportResult) -> None:
    """The same verdict on Prefect's pages."""
    artifact.publish(facts, result)


@flow(name="report", persist_result=False)
def report(config_path: str, day: date) -> ReportResult:
    """Write the page of `day` and publish its verdict."""
    config = load_config(config_path)
    facts = read_facts(config, day)
    result = write(config, facts)
    publish(facts, result)
    return result

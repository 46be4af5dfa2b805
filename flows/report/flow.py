"""The flow of the report: the page, then the artifact."""

from collections.abc import Sequence
from datetime import date

from prefect import flow, task

from flows.config import Config
from flows.prefect_run import STAGE_S, TASK
from flows.report import artifact, page
from flows.report.facts import read_facts
from flows.report.page import ReportResult
from flows.report.rows import Facts


@task(name="write page", **TASK)
def write(config: Config, facts: Facts) -> ReportResult:
    """The page, in its place."""
    return page.lay_out(config, facts)


@task(name="publish verdict", **TASK)
def publish(facts: Facts, result: ReportResult) -> None:
    """The same verdict on Prefect's pages."""
    artifact.publish(facts, result)


@flow(name="report", flow_run_name="report {day}", timeout_seconds=STAGE_S, persist_result=False)
def report(config: Config, day: date, failures: Sequence[str] = ()) -> ReportResult:
    """Write the page of `day` and publish its verdict. `failures` are the stages that failed so far."""
    facts = read_facts(config, day, failures)
    result = write(config, facts)
    publish(facts, result)
    return result


def report_without_prefect(config: Config, day: date, failures: Sequence[str]) -> ReportResult:
    """The page alone, where Prefect itself fails, as on a full disk."""
    return page.write_report(config, day, failures)

"""The flow of the report: the page and the index over all nights, then the artifact."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from flows.config import Config
from flows.marts import kept_open
from flows.prefect_run import STAGE_S, flow, task
from flows.progress import track
from flows.report import artifact, nights, page
from flows.report.facts import read_facts
from flows.report.page import ReportResult
from flows.report.rows import Facts


@task(name="write page")
def write(config: Config, facts: Facts) -> ReportResult:
    """The page, in its place."""
    return page.lay_out(config, facts)


@task(name="write index")
def index(config: Config) -> Path:
    """The calendar over all nights, beside their pages; its path."""
    return nights.write_index(config)


@task(name="publish verdict")
def publish(facts: Facts, result: ReportResult) -> None:
    """The same verdict on Prefect's pages."""
    artifact.publish(facts, result)


@flow(name="report", flow_run_name="report {day}", timeout_seconds=STAGE_S)
def report(config: Config, day: date, failures: Sequence[str] = ()) -> ReportResult:
    """Write the page of `day` and publish its verdict. `failures` are the stages that failed so far."""
    facts = read_facts(config, day, failures)
    result = write(config, facts)
    index(config)
    publish(facts, result)
    return result


@flow(name="report-days", timeout_seconds=STAGE_S)
def report_days(config: Config, days: Sequence[date]) -> Path:
    """The pages of these days, without Evidently's, and the index over all nights; its path."""
    with kept_open(config):
        for day in track(days, "pages", len(days)):
            write_quickly(config, day)
        return index(config)


@task(name="write page", task_run_name="write page {day}")
def write_quickly(config: Config, day: date) -> ReportResult:
    """The page of a day without Evidently's, which costs seconds."""
    return page.lay_out(config, read_facts(config, day), draws=False)


def report_without_prefect(config: Config, day: date, failures: Sequence[str]) -> ReportResult:
    """The page alone, where Prefect itself fails, as on a full disk."""
    return page.write_report(config, day, failures)


def write_again(config: Config, day: date | None, *, with_index: bool) -> None:
    """The page of a night from what there is now, without Prefect and without Evidently's; and the index over all."""
    if day:
        page.lay_out(config, read_facts(config, day), draws=False)
    if with_index:
        nights.write_index(config)

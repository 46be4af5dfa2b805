"""All checks of `genchi doctor`, in their order. Nothing is evaluated, sent or left behind."""

from collections.abc import Iterator
from datetime import date

from flows.cli.doctor.check_result import Finding
from flows.cli.doctor.cluster_checks import cluster_findings
from flows.cli.doctor.endpoint_checks import alert_findings, model_findings
from flows.cli.doctor.extension_checks import extension_findings
from flows.cli.doctor.log_checks import source_findings
from flows.cli.doctor.machine_checks import disk_findings, version_findings
from flows.cli.doctor.place_checks import export_findings, lake_findings, published_findings, report_findings
from flows.cli.doctor.prefect_checks import prefect_findings
from flows.cli.doctor.workspace_checks import workspace_findings
from flows.config import Config
from flows.errors import ConfigError, RunError
from flows.evaluate import read_setup
from flows.ingest import describe_example_sets


def examine(config: Config, day: date, *, is_deep: bool = False) -> Iterator[Finding]:
    """Look at versions, lake, cluster, Prefect's server, sources (for `day`), test sets, models and alerts, one by one.

    Spends no tokens, and sends no alerts. With `is_deep` every file of the lake is compared with what was published,
    and the whole warehouse is read.
    """
    yield from version_findings()
    yield from lake_findings(config)
    if is_deep:
        yield from published_findings(config)
    yield from report_findings(config)
    yield from export_findings(config)
    yield from cluster_findings(config)
    yield from prefect_findings()
    yield from disk_findings(config)
    yield from extension_findings(config)
    yield from source_findings(config, day)
    yield from _test_sets(config)
    yield from _criteria(config)
    yield from workspace_findings(config)
    yield from model_findings(config)
    yield from alert_findings(config)


def _criteria(config: Config) -> Iterator[Finding]:
    """Criteria and output schemas that cannot be applied; what is wrong with one hides no other."""
    try:
        setup = read_setup(config)
    except ConfigError as error:
        yield Finding("misconfigured", f"evaluation: {error}")
        return
    for route, criteria in setup.criteria.items():
        problems = {f"criterion `{one.name}`": one.problem for one in criteria}
        if route in setup.output_schemas:
            problems["`output_schema`"] = setup.output_schemas[route].problem
        for name, problem in problems.items():
            if problem:
                yield Finding("misconfigured", f"route {route}: {name} is not applied: {problem}")
        if criteria and not any(problems.values()):
            yield Finding("ok", f"route {route}: {len(criteria)} criteria can be applied")


def _test_sets(config: Config) -> Iterator[Finding]:
    try:
        for line in describe_example_sets(config):
            yield Finding("ok", line)
    except (ConfigError, RunError) as error:
        yield Finding("misconfigured", f"test sets: {error}")

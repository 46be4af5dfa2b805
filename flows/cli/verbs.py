"""What each verb does: a composed flow run, a few lines, and an exit code.

Loaded once the command line is known to be right. What takes seconds to import (prefect, dbt, litellm) is imported by
the verb that needs it.
"""

import argparse
import sys

import yaml

from flows.cli import prefect_server
from flows.config import Config, load_config
from flows.errors import ConfigError

FINE, CRITICAL, WRONG, FAILED = 0, 1, 2, 3


def nightly(options: argparse.Namespace) -> int:
    """One whole night."""
    _load(options)
    with prefect_server.server(prefect_server.EVERYTHING):
        from flows.nightly import NightFailedError, nightly  # noqa: PLC0415 - as above

        try:
            night = nightly(str(options.config), options.day)
        except NightFailedError as failed:
            tell(f"\n{failed.night.headline}\n{failed.night.page}")
            raise
    tell(f"\n{night.headline}\n{night.page}")
    return CRITICAL if night.critical else FINE


def backfill(options: argparse.Namespace) -> int:
    """A range of days."""
    _load(options)
    if options.end < options.start:
        raise ConfigError(f"--end {options.end} lies before --start {options.start}")
    with prefect_server.server():
        from flows.backfill import backfill  # noqa: PLC0415 - as above

        done = backfill(options.start, options.end, str(options.config), options.only)
    for day, count in sorted(done.breaches.items()):
        tell(f"{day}: {count} breach{'es' if count > 1 else ''} began")
    return FINE


def ingest(options: argparse.Namespace) -> int:
    """One day landed, and its monitoring marts."""
    _load(options)
    with prefect_server.server():
        from flows.nightly import ingest_day  # noqa: PLC0415 - as above

        ingest_day(str(options.config), options.day)
    return FINE


def transform(options: argparse.Namespace) -> int:
    """Every mart of one day."""
    load_config(options.config)
    with prefect_server.server():
        from flows.nightly import transform_days  # noqa: PLC0415 - as above

        transform_days(str(options.config), options.day, options.day)
    return FINE


def evaluate(options: argparse.Namespace) -> int:
    """The holdouts of one night."""
    _load(options).require_evaluation()
    with prefect_server.server():
        from flows.nightly import evaluate_day  # noqa: PLC0415 - as above

        evaluate_day(str(options.config), options.day)
    return FINE


def compare(options: argparse.Namespace) -> int:
    """Two models on one route."""
    loaded = _load(options)
    from flows.evaluate import ModelPair, check_setup  # noqa: PLC0415 - as above

    versus = ModelPair(options.pinned, options.candidate, options.route, options.repeats, options.limit)
    check_setup(versus.narrowed(loaded))  # what is wrong is said before a server is started
    day = options.day or loaded.yesterday()
    with prefect_server.server():
        from flows.nightly import compare_models  # noqa: PLC0415 - as above

        run_id = compare_models(versus, str(options.config), day)
    from rich.console import Console  # noqa: PLC0415 - as above

    from flows.cli import compare_report  # noqa: PLC0415 - as above

    result = compare_report.read(loaded, day, run_id)
    compare_report.show(result, Console())
    return CRITICAL if result.is_critical else FINE


def holdout(options: argparse.Namespace) -> int:
    """The version of every test set."""
    from flows.ingest import describe_example_sets  # noqa: PLC0415 - as above

    for line in describe_example_sets(load_config(options.config)):
        tell(line)
    return FINE


def migrate(options: argparse.Namespace) -> int:
    """The versions of lake and warehouse, after older ones were brought up to date. Every night does the same."""
    from flows import transform  # noqa: PLC0415 - as above

    loaded = load_config(options.config)
    lake = loaded.open_lake()
    with lake.lock("migrate"):
        tell(f"lake: version {lake.version}")
        warehouse = transform.migrate(loaded)
    tell("warehouse: none yet" if warehouse is None else f"warehouse: version {warehouse}")
    return FINE


def doctor(options: argparse.Namespace) -> int:
    """What can be reached."""
    from flows.cli import doctor  # noqa: PLC0415 - as above

    loaded = load_config(options.config)
    findings = doctor.examine(loaded, options.day or loaded.yesterday())
    for finding in findings:
        tell(f"{'✓' if finding.fine else '✗'} {finding.text}")
    return FINE if all(finding.fine for finding in findings) else WRONG


def dbt(options: argparse.Namespace) -> int:
    """A command of dbt. What went wrong in it dbt has said itself."""
    loaded = load_config(options.config)
    first, last = options.start or options.day, options.end or options.day
    if (options.start is None) != (options.end is None) or (options.start and options.day):
        raise ConfigError("the days to build are either --day, or --start with --end")
    if first and first > last:
        raise ConfigError(f"--end {last} lies before --start {first}")
    more = yaml.safe_load(options.vars)
    if not isinstance(more, dict):
        raise ConfigError(f"--vars {options.vars!r}: must be names with values, such as '{{typo_sample: 500}}'")
    from flows.transform import run_command  # noqa: PLC0415 - as above

    yesterday = loaded.yesterday()
    return FINE if run_command(loaded, options.arguments, first or yesterday, last or yesterday, more) else FAILED


def demo(options: argparse.Namespace) -> int:
    """The demo."""
    with prefect_server.server(prefect_server.EVERYTHING):
        from flows.cli.demo_command import run  # noqa: PLC0415 - as above

        return FINE if run(options.folder, tell) else CRITICAL


def _load(options: argparse.Namespace) -> Config:
    """The configuration, after all that it names was read: what is wrong is said before a server is started."""
    from flows.evaluate import check_setup  # noqa: PLC0415 - as above
    from flows.ingest import describe_example_sets  # noqa: PLC0415 - as above

    loaded = load_config(options.config)
    check_setup(loaded)
    describe_example_sets(loaded)
    return loaded


def tell(line: str) -> None:
    """One line of a verb's result, on stdout."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()

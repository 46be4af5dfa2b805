"""The verbs: each runs a flow, prints a few lines and returns an exit code. All raise ConfigError and RunError.

This module is imported after the command line was parsed. Packages that take seconds to import (prefect, dbt, litellm)
are imported by the verbs that need them.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import yaml

from flows import progress
from flows.cli.exit_codes import CRITICAL, FAILED, FINE, tell
from flows.cli.first_config import refuse_existing, shown_place
from flows.cli.prefect_server import server_of_blocks
from flows.config import Config, load_config
from flows.errors import ConfigError
from flows.outgoing import drawing_on
from flows.words import counted

if TYPE_CHECKING:
    from flows.evaluate import EvalSetup
    from flows.night import Night


def nightly(options: argparse.Namespace) -> int:
    """Run one whole night and print its headline and its page; CRITICAL if a critical expectation failed."""
    setup = _load(options)
    day = options.day = options.day or setup.config.yesterday()
    with _running(setup.config, options):
        from flows.night import NightFailedError  # noqa: PLC0415 - as above
        from flows.nightly import run_told  # noqa: PLC0415 - as above

        try:
            night = run_told(setup, day)
        except NightFailedError as failed:
            _tell_of(failed.night)
            raise
    _tell_of(night)
    return CRITICAL if night.critical else FINE


def _tell_of(night: "Night") -> None:
    """Print the headline and the page, where there are any."""
    if night.page:
        tell(f"\n{night.headline}\n{night.page}")


def backfill(options: argparse.Namespace) -> int:
    """Run a range of days, and print the incidents that began and the index of pages; CRITICAL if one is critical.

    With --dry-run, print what there is to do and how long it takes.
    """
    setup = _load(options)
    if options.end < options.start:
        raise ConfigError(f"--end {options.end} is before --start {options.start}")
    pages = (options.end - options.start).days + 1 if options.pages == "all" else options.pages
    if options.dry_run:
        from flows import backfill as backfilling  # noqa: PLC0415 - as above

        request = backfilling.Request(options.start, options.end, options.only, options.force, pages)
        for line in backfilling.estimated(setup, request):
            tell(line)
        return FINE
    with _running(setup.config, options):
        from flows.backfill import run_backfill  # noqa: PLC0415 - as above

        done = run_backfill(setup, options.start, options.end, only=options.only, force=options.force, pages=pages)
    for began in done.began:
        tell(str(began))
    if done.index:
        tell(f"\n{done.index}")
    if done.critical:
        tell(f"exit code {CRITICAL}: {counted(done.critical, 'critical incident')} on these days")
    return CRITICAL if done.critical else FINE


def ingest(options: argparse.Namespace) -> int:
    """Read one day's logs, and update the monitoring marts."""
    setup = _load(options)
    options.day = options.day or setup.config.yesterday()
    with _running(setup.config, options):
        from flows.nightly import run_ingest  # noqa: PLC0415 - as above

        run_ingest(setup, options.day)
    return FINE


def transform(options: argparse.Namespace) -> int:
    """Rebuild all marts of one day."""
    config = load_config(options.config)
    options.day = options.day or config.yesterday()
    with _running(config, options):
        from flows.nightly import run_transform  # noqa: PLC0415 - as above

        run_transform(config, options.day, options.day)
    return FINE


def evaluate(options: argparse.Namespace) -> int:
    """Run the holdouts for one day, and print what failed; CRITICAL if a critical expectation on it did."""
    setup = _load(options)
    setup.require_evaluation()
    options.day = options.day or setup.config.yesterday()
    with _running(setup.config, options):
        from flows.nightly import run_evaluate  # noqa: PLC0415 - as above

        failed = run_evaluate(setup, options.day)
    for failure in failed:
        tell(failure)
    return CRITICAL if failed else FINE


def compare(options: argparse.Namespace) -> int:
    """Compare two models on one route; CRITICAL if the candidate is worse on a critical criterion."""
    from flows.evaluate import ModelPair, load_setup  # noqa: PLC0415 - as above
    from flows.ingest import describe_example_sets  # noqa: PLC0415 - as above

    config = load_config(options.config)
    describe_example_sets(config)
    pair = ModelPair(options.pinned, options.candidate, options.route, options.repeats, options.limit)
    narrowed = load_setup(pair.narrowed(config))  # before anything runs, so that errors are reported first
    day = options.day = options.day or config.yesterday()
    run_id = pair.run_id(config, day)
    with _running(config, options):
        from flows.nightly import run_compare  # noqa: PLC0415 - as above

        run_compare(config, narrowed, day, run_id)
    from rich.console import Console  # noqa: PLC0415 - as above

    from flows.cli import compare_report  # noqa: PLC0415 - as above

    result = compare_report.read(config, day, run_id)
    compare_report.show(result, Console(file=drawing_on(sys.stdout)))
    return CRITICAL if result.is_critical else FINE


def migrate(options: argparse.Namespace) -> int:
    """Upgrade an older lake and warehouse, and print their versions."""
    from flows import transform  # noqa: PLC0415 - as above

    loaded = load_config(options.config)
    lake = loaded.open_lake()
    with lake.run("migrate"):
        tell(f"lake: version {lake.version}")
        warehouse = transform.migrate(loaded)
    tell("warehouse: none yet" if warehouse is None else f"warehouse: version {warehouse}")
    return FINE


def show(options: argparse.Namespace) -> int:
    """Print one call."""
    from flows.cli import show_call  # noqa: PLC0415 - as above

    call = show_call.find(load_config(options.config), options.call_id, options.day)
    for line in [show_call.as_json(call)] if options.json else show_call.lines(call):
        tell(line)
    return FINE


def breaches(options: argparse.Namespace) -> int:
    """Print the incidents of one day with their breaches."""
    from flows.cli import breach_list  # noqa: PLC0415 - as above

    config = load_config(options.config)
    day = options.day or config.yesterday()
    found = breach_list.read(config, day, options.route)
    for line in [breach_list.as_json(found)] if options.json else breach_list.lines(found, day):
        tell(line)
    return FINE


def doctor(options: argparse.Namespace) -> int:
    """Print a line for each check; 1 for a problem of logs, lake or machine, 2 for one of the configuration."""
    loaded = load_config(options.config)
    tell(f"✓ configuration: {loaded.path}")
    from flows.cli.doctor import examine, exit_code  # noqa: PLC0415 - as above

    findings = []
    for finding in examine(loaded, options.day or loaded.yesterday(), is_deep=options.deep):
        findings.append(finding)
        tell(finding.line)
    return exit_code(findings)


def dbt(options: argparse.Namespace) -> int:
    """Run a dbt command; FAILED if dbt reports an error, which it prints itself."""
    loaded = load_config(options.config)
    first, last = options.start or options.day, options.end or options.day
    if (options.start is None) != (options.end is None) or (options.start and options.day):
        raise ConfigError("days to build: give either --day, or both --start and --end")
    if first and first > last:
        raise ConfigError(f"--end {last} is before --start {first}")
    more = yaml.safe_load(options.vars)
    if not isinstance(more, dict):
        raise ConfigError(f"--vars {options.vars!r}: must be names with values, such as '{{texts_sampled: 500}}'")
    from flows.transform import run_command  # noqa: PLC0415 - as above

    yesterday = loaded.yesterday()
    return FINE if run_command(loaded, options.arguments, first or yesterday, last or yesterday, more) else FAILED


def init(options: argparse.Namespace) -> int:
    """Look at logs and write a first genchi.yaml."""
    refuse_existing(options.config.absolute())
    progress.announce(f"init        looking at {shown_place(options.path)}")
    from flows.cli import init_command  # noqa: PLC0415 - as above

    init_command.run(options.path, options.config, datetime.now(UTC).date(), tell)
    return FINE


def deploy(options: argparse.Namespace) -> int:
    """Write the workspace's deployments into prefect.yaml, or print what Prefect, cron or systemd need."""
    from flows.cli import deploy as deploying  # noqa: PLC0415 - as above

    for line in deploying.run(load_config(options.config), options):
        tell(line)
    return FINE


def demo(options: argparse.Namespace) -> int:
    """Run the demo; CRITICAL if a planted incident was not found."""
    progress.announce(f"demo        {options.folder}")
    from flows.cli.demo_command import run  # noqa: PLC0415 - as above

    return FINE if run(options.folder, tell) else CRITICAL


def _load(options: argparse.Namespace) -> "EvalSetup":
    """Load the configuration and the files that it names, so that errors are reported before anything runs."""
    from flows.evaluate import load_setup  # noqa: PLC0415 - as above
    from flows.ingest import describe_example_sets  # noqa: PLC0415 - as above

    setup = load_setup(load_config(options.config))
    describe_example_sets(setup.config)
    return setup


@contextmanager
def _running(config: Config, options: argparse.Namespace) -> Iterator[None]:
    """Within the block something runs. Its first line says what, on which day, with which configuration."""
    first = getattr(options, "start", None) or getattr(options, "day", None) or config.yesterday()
    last = getattr(options, "end", None) or first
    days = f"{first}" if first == last else f"{first} to {last}"
    progress.announce(f"{options.verb:<11} {config.app}, {days}, {config.path}")
    with server_of_blocks(config):
        yield

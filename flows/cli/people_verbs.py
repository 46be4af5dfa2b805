"""The verbs about people: what they judge, decide and are told. Each returns its exit code.

Packages that take seconds to import are imported by the verbs that need them.
"""

import argparse
from collections.abc import Iterable
from datetime import UTC, datetime

from flows.cli.exit_codes import CRITICAL, FINE, tell
from flows.config import load_config


def holdout(options: argparse.Namespace) -> int:
    """Print the version of every test set; or propose, accept, reject or freeze examples."""
    config = load_config(options.config)
    if options.action is None:
        from flows.ingest import describe_example_sets  # noqa: PLC0415 - as above

        lines: Iterable[str] = describe_example_sets(config)
    else:
        from flows.cli import holdout_actions  # noqa: PLC0415 - as above

        lines = holdout_actions.run(config, options)
    for line in lines:
        tell(line)
    return FINE


def criteria(options: argparse.Namespace) -> int:
    """List criteria or suggestions, or decide about one."""
    from flows.cli import criteria_command  # noqa: PLC0415 - as above

    for line in criteria_command.run(load_config(options.config), options):
        tell(line)
    return FINE


def review(options: argparse.Namespace) -> int:
    """Serve the review page until it is stopped."""
    from flows.cli import review_command  # noqa: PLC0415 - as above

    review_command.run(load_config(options.config), options, tell)
    return FINE


def labels(options: argparse.Namespace) -> int:
    """Write people's labels to a file, or read them from one. Raises ConfigError if a row cannot be read."""
    from flows.cli import labels_command  # noqa: PLC0415 - as above

    run = labels_command.export if options.action == "export" else labels_command.take
    run(load_config(options.config), options, tell)
    return FINE


def alert(options: argparse.Namespace) -> int:
    """Send the digest of a day, or a test message. Raises RunError if one target did not take it."""
    from flows.cli import alert_command  # noqa: PLC0415 - as above

    for line in alert_command.send(load_config(options.config), options.day, is_test=options.test):
        tell(line)
    return FINE


def ack(options: argparse.Namespace) -> int:
    """Note who takes care of an incident."""
    from flows.cli import ack_command  # noqa: PLC0415 - as above

    given = options.incident, options.by, options.note, options.until
    tell(ack_command.run(load_config(options.config), *given))
    return FINE


def watchdog(options: argparse.Namespace) -> int:
    """Print when the last good night ended; CRITICAL, and told to every target once, if that is too long ago."""
    from flows.cli import alert_command  # noqa: PLC0415 - as above

    line, is_overdue = alert_command.look(load_config(options.config), datetime.now(UTC), options.max_age)
    tell(line)
    return CRITICAL if is_overdue else FINE

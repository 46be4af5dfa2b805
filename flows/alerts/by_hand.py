"""`genchi alert`: a digest or a test message, sent because a person asked for it."""

from collections.abc import Iterator
from datetime import date

from flows.alerts import digest, notifiers, python_channel, service_channels
from flows.alerts.http_channels import UndeliveredError
from flows.config import Alert, Config
from flows.errors import ConfigError, RunError


def send_digest(config: Config, day: date) -> str:
    """Send the digest of a day to every target that has not had it, and say to how many. The caller is a run.

    Raises ConfigError for a day without a night, and RunError if a target did not take it.
    """
    lake = config.open_lake()
    if not lake.exists("expectation_results", day):
        raise ConfigError(f"--day {day}: no night of this day is in {config.lake}; run genchi nightly --day {day}")
    delivered = notifiers.deliver(digest.of_night(config, day), config.alerts, lake.alerts_sent(day))
    if not delivered.sent + delivered.already:
        return "nothing new to report"
    return f"digest sent to {delivered.sent}, {delivered.already} had it already"


def send_test(config: Config) -> Iterator[str]:
    """Send a test message to every target, and say who took it. Raises RunError at the end if one did not."""
    failures = []
    for target, problem in notifiers.deliver_test(config.app, config.alerts):
        name = notifiers.name(target)
        if problem:
            failures.append(f"{name}: {problem}")
        else:
            yield f"✓ {name} took the test message"
    if failures:
        raise RunError(f"a test message could not be delivered: {'; '.join(failures)}; check `alerts`")


def why_not_sendable(target: Alert) -> str:
    """What is wrong with the address or function of an alert; empty where nothing is. Nothing is sent."""
    if target.kind == "python":
        return python_channel.problem_of(target)
    if target.kind != "apprise":
        return ""
    try:
        service_channels.service(target.url)
    except UndeliveredError as error:
        return str(error)
    return ""

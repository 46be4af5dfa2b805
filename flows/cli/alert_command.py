"""`genchi alert` and `genchi watchdog`: what they send, and what they print."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from flows.alerts import send_digest, send_test, watch
from flows.cli.prefect_server import server_of_blocks
from flows.config import Config
from flows.errors import ConfigError


def send(config: Config, day: date | None, *, is_test: bool) -> Iterator[str]:
    """Send the digest of a day (default: yesterday), or a test message, and say who got it.

    Raises ConfigError without alerts or without a night of that day, and RunError if one target did not take it.
    """
    if not config.alerts:
        raise ConfigError(f"{config.path}: no alerts are configured; name one with `alerts`")
    with server_of_blocks(config):
        if is_test:
            yield from send_test(config)
        else:
            day = day or config.yesterday()
            with config.open_lake().run("alert"):
                yield f"{day}: {send_digest(config, day)}"


def look(config: Config, now: datetime, max_age: timedelta) -> tuple[str, bool]:
    """When the last good night ended, and whether that is too long ago; see `watch`."""
    with server_of_blocks(config):
        found = watch(config, now, max_age)
    if not found.is_overdue:
        return found.line, False
    return f"{found.line}; told to {found.delivered.sent}, {found.delivered.already} knew it", True

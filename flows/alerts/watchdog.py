"""`genchi watchdog`: whether a night has not run, told once."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flows.alerts import good_nights, notifiers
from flows.alerts.digest import Digest
from flows.alerts.digest_items import Item
from flows.alerts.notifiers import Delivered
from flows.config import Config
from flows.outgoing import plain

_RECORD = "watchdog"


@dataclass(frozen=True)
class Watch:
    """What the watchdog found: `line` says it; `is_overdue` where the last good night is too old, or there is none."""

    line: str
    is_overdue: bool
    delivered: Delivered


def watch(config: Config, now: datetime, max_age: timedelta, pause: Callable[[float], None] = time.sleep) -> Watch:
    """Look when the last good night ended, and tell every target of `alerts` where that is longer ago than `max_age`.

    A gap is told once to each target, however often this runs: the last good night names it. It waits for no run, so
    that it works beside one that hangs. Raises RunError if the lake cannot be read, or if a target did not take it.
    """
    last = good_nights.last(config)
    if last and now - last.ended <= max_age:
        return Watch(f"the last good night is that of {last.words}", False, Delivered())
    since = f"no good night since that of {last.words}" if last else "no good night is known"
    item = Item(
        suite="stages",
        expectation="night_ran",
        subject="nightly",
        severity="critical",
        expected=f"a night without failed stages every {hours(max_age)}",
        observed=since,
        where=str(config.report_url or config.reports),
        title="",
        commands=(f"genchi nightly --day {config.yesterday()}", "genchi doctor"),
    )
    digest = Digest(plain(config.app), config.yesterday(), (item,), f"{config.report_url or config.reports}/index.html")
    delivered = notifiers.deliver(digest, config.alerts, config.open_lake().alerts_sent(_RECORD), pause, since)
    return Watch(since, True, delivered)


def hours(age: timedelta) -> str:
    """`26 h`."""
    return f"{age.total_seconds() / 3600:g} h"

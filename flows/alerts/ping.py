"""The sign of life after a night, for a monitor that tells where none came."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, date, datetime

import httpx

from flows.alerts import good_nights, http_channels
from flows.alerts.good_nights import GoodNight
from flows.alerts.http_channels import UndeliveredError
from flows.config import Config, Ping, not_set, unset_variables
from flows.errors import in_one_line
from flows.outgoing import plain
from flows.retry_policy import brief_retries

_log = logging.getLogger("genchi")


def night_ended(config: Config, day: date, failures: int, found: str, now: datetime | None = None) -> None:
    """Note a night without failed stages as a good one, and ask for the address of `ping`, if one is configured.

    `failures` are the failed stages; `found` is what the night says in short, without texts of users. What goes wrong
    is logged and fails no night: where no sign of life comes, the monitor tells.
    """
    try:
        is_news = failures > 0 or good_nights.note(config.open_lake(), GoodNight(day, now or datetime.now(UTC)))
        if config.ping and is_news and (config.ping.failed or not failures):
            said = f"{failures} failed stages" if failures else found
            send(config.ping, plain(f"{config.app}, {day}: {said}"), is_failed=failures > 0)
    except UndeliveredError as error:
        _log.warning("the ping after the night could not be sent: %s at %s", error, http_channels.host(_url(config)))
    except Exception as error:  # whatever it is, the night itself has ended well
        _log.warning("the end of the night could not be noted: %s", in_one_line(error))


def send(ping: Ping, text: str, *, is_failed: bool = False, pause: Callable[[float], None] = time.sleep) -> None:
    """Ask for the address, up to three times, without following a redirect. Raises UndeliveredError."""
    if unset := unset_variables(ping):
        raise UndeliveredError(not_set(unset[0]), is_transient=False)
    url = _failed(ping.url) if is_failed else ping.url
    content = {"content": text.encode()} if ping.method == "post" else {}
    may_pass = brief_retries(lambda error: isinstance(error, UndeliveredError) and error.is_transient, pause)
    may_pass(http_channels.send, ping.method.upper(), url, **content)


def _failed(url: str) -> str:
    """The address with `/fail` at the end of its path, before its query."""
    try:
        address = httpx.URL(url)
        return str(address.copy_with(path=f"{address.path.rstrip('/')}/fail"))
    except httpx.InvalidURL:
        return url  # which is told when it is asked for


def _url(config: Config) -> str:
    return config.ping.url if config.ping else ""

"""Bringing a digest to its targets: each gets it once, and one that is down does not keep it from the others."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from flows.alerts import messages
from flows.alerts.digest import Digest
from flows.config import Alert, not_set, unset_variables
from flows.errors import RunError, in_one_line
from flows.lake import Note
from flows.outgoing import without_credentials
from flows.retry_policy import brief_retries

_logger = logging.getLogger(__name__)

_MESSAGES: dict[str, Callable[[Digest], dict[str, Any]]] = {"webhook": messages.webhook, "slack": messages.slack}
_TESTS: dict[str, Callable[[str], dict[str, Any]]] = {"webhook": messages.webhook_test, "slack": messages.slack_test}
_TIMEOUT = httpx.Timeout(15, connect=5)


@dataclass(frozen=True)
class Delivered:
    """How many targets got the digest now, and how many had it already."""

    sent: int = 0
    already: int = 0


class _UndeliveredError(Exception):
    """One target did not take the digest. `is_transient` is whether a later attempt may succeed."""

    def __init__(self, problem: str, *, is_transient: bool) -> None:
        super().__init__(problem)
        self.is_transient = is_transient


def deliver(
    digest: Digest, targets: Sequence[Alert], record: Note, pause: Callable[[float], None] = time.sleep
) -> Delivered:
    """Send `digest` to every target that has not had this very content yet; `record` remembers who had what.

    Nothing is sent without items, nor where every one of them is a breach that began on a night before: it was told
    then, and is told once. Raises RunError, after all targets were tried, where one did not take it, or where the
    record cannot be written: the next run then sends the same again.
    """
    if digest.ongoing == len(digest.items):
        return Delivered()
    told = _read(record)
    content = fingerprint(digest)
    sent, already, failures = 0, 0, []
    with httpx.Client(timeout=_TIMEOUT) as client:
        for target in targets:
            if told.get(_key(target)) == content:
                already += 1
                continue
            try:
                _post(client, target.url, _MESSAGES[target.kind](digest), pause)
            except _UndeliveredError as error:
                failures.append(f"{target.kind} at {host(target)}: {error}")
                continue
            sent += 1
            told[_key(target)] = content
    unwritten = _write(record, told) if sent else ""
    _logger.info("digest of %d failures: sent to %d targets, %d had it already", len(digest.items), sent, already)
    if failures:
        raise RunError(f"an alert could not be delivered: {'; '.join([*failures, *filter(None, [unwritten])])}")
    if unwritten:
        raise RunError(unwritten)
    return Delivered(sent, already)


def deliver_test(app: str, targets: Sequence[Alert]) -> Iterator[tuple[Alert, str]]:
    """Send a test message to each target, once; with each, why it did not take it (empty if it did)."""
    with httpx.Client(timeout=_TIMEOUT) as client:
        for target in targets:
            try:
                _post_once(client, target.url, _TESTS[target.kind](app))
            except _UndeliveredError as error:
                yield target, str(error)
            else:
                yield target, ""


def fingerprint(digest: Digest) -> str:
    """The SHA-256 of what the digest says, in hex."""
    return hashlib.sha256(json.dumps(messages.webhook(digest), sort_keys=True).encode()).hexdigest()


def _post(client: httpx.Client, url: str, message: dict[str, Any], pause: Callable[[float], None]) -> None:
    """POST a message as JSON: three tries where the failure may pass (no connection, 429, 5xx), else one."""
    brief_retries(lambda error: isinstance(error, _UndeliveredError) and error.is_transient, pause)(
        _post_once, client, url, message
    )


def _post_once(client: httpx.Client, url: str, message: dict[str, Any]) -> None:
    if unset := unset_variables(url):
        raise _UndeliveredError(not_set(unset[0]), is_transient=False)
    try:
        response = client.post(url, json=message)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise _UndeliveredError(f"no valid URL ({type(error).__name__}); correct it", is_transient=False) from None
    except httpx.RequestError as error:
        raise _UndeliveredError(f"{type(error).__name__}: {error}", is_transient=True) from None
    if not response.is_success:
        is_transient = response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error
        raise _UndeliveredError(f"answered {response.status_code}", is_transient=is_transient)


def _key(target: Alert) -> str:
    """A target's name in the record. Its URL may be a secret, and is not written."""
    return f"{target.kind}-{hashlib.sha256(target.url.encode()).hexdigest()[:16]}"


def host(target: Alert) -> str:
    """The host of a target's URL. The rest of it may be a secret."""
    try:
        return httpx.URL(without_credentials(target.url)).host or "no host"
    except httpx.InvalidURL:
        return "no valid URL"


def _read(record: Note) -> dict[str, str]:
    """Who had what. A record that cannot be read is none: an alert twice is better than none."""
    try:
        told = json.loads(record.read() or "{}")
    except (OSError, ValueError, RunError):
        return {}
    return told if isinstance(told, dict) else {}


def _write(record: Note, told: dict[str, str]) -> str:
    """Write who had what. Returns what went wrong, or an empty text."""
    try:
        record.write(json.dumps(told, indent=1, sort_keys=True))
    except (OSError, RunError) as error:
        return (
            f"the record of sent digests could not be written, the next run sends this one again: {in_one_line(error)}"
        )
    return ""

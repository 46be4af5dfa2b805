"""Bringing a digest to its targets: each gets it once, and one that is down does not keep it from the others."""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from flows.alerts import http_channels, messages, plain_text, prefect_blocks, python_channel, service_channels
from flows.alerts.digest import Digest
from flows.alerts.http_channels import UndeliveredError
from flows.alerts.routing import part_for
from flows.config import Alert, not_set, unset_variables
from flows.errors import RunError, in_one_line
from flows.lake import Note
from flows.retry_policy import brief_retries
from flows.stage_failures import CAUGHT_UP, SUITE

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivered:
    """How many targets got the digest now, and how many had it already."""

    sent: int = 0
    already: int = 0


def deliver(
    digest: Digest,
    targets: Sequence[Alert],
    record: Note,
    pause: Callable[[float], None] = time.sleep,
    about: str = "",
) -> Delivered:
    """Send each target its part of `digest`, unless it had this very content; `record` remembers who had what.

    With `about`, what is about the same is the same content, whatever it says.

    Nothing is sent without news: an incident that goes on was told on its first night, and is told once. Raises
    RunError, after all targets were tried, where one did not take it, or where the record cannot be written: the next
    run then sends the same again.
    """
    told, new = _read(record), dict[str, str]()
    sent, already, failures = 0, 0, []
    for target in targets:
        part = part_for(digest, target, targets)
        if not part.is_news:
            continue
        content = about or fingerprint(part)
        if (told | new).get(_key(target)) == content:
            already += 1
            continue
        try:
            brief_retries(_may_pass, pause)(_send, target, part)
        except UndeliveredError as error:
            failures.append(f"{name(target)}: {error}")
            continue
        sent += 1
        new[_key(target)] = content
    unwritten = _write(record, new) if new else ""
    _logger.info("digest of %d items: sent to %d targets, %d had it already", len(digest.items), sent, already)
    if failures:
        raise RunError(f"an alert could not be delivered: {'; '.join([*failures, *filter(None, [unwritten])])}")
    if unwritten:
        raise RunError(unwritten)
    return Delivered(sent, already)


def deliver_test(app: str, targets: Sequence[Alert]) -> Iterator[tuple[Alert, str]]:
    """Send a test message to each target, once; with each, why it did not take it (empty if it did)."""
    for target in targets:
        try:
            _send_test(target, app)
        except UndeliveredError as error:
            yield target, str(error)
        else:
            yield target, ""


def fingerprint(digest: Digest) -> str:
    """The SHA-256 of what the digest says, in hex. To acknowledge an incident does not change it.

    Nor does it matter which nights were caught up: a night that is run again has no more of them.
    """
    items = [item for item in (*digest.items, *digest.acknowledged) if (item.suite, item.subject) != (SUITE, CAUGHT_UP)]
    said = [replace(item, acknowledged="", again="") for item in items]
    content = [digest.app, str(digest.day), digest.report, digest.over, sorted(map(repr, said))]
    return hashlib.sha256(json.dumps(content).encode("utf-8", "replace")).hexdigest()


def _may_pass(error: BaseException) -> bool:
    """Whether a later attempt may succeed: then there are three."""
    return isinstance(error, UndeliveredError) and error.is_transient


def _send(target: Alert, digest: Digest) -> None:
    _require_variables(target)
    if target.kind == "webhook":
        http_channels.post(target.url, messages.webhook(digest))
    elif target.kind == "slack":
        http_channels.post(target.url, messages.slack(digest))
    elif target.kind == "python":
        python_channel.call(target, messages.webhook(digest))
    else:
        _as_text(target, digest.severity, plain_text.subject(digest), lambda most: plain_text.body(digest, most))


def _send_test(target: Alert, app: str) -> None:
    _require_variables(target)
    text = plain_text.text_of_test(app)
    if target.kind == "webhook":
        http_channels.post(target.url, messages.webhook_test(text, app))
    elif target.kind == "slack":
        http_channels.post(target.url, messages.slack_test(text))
    elif target.kind == "python":
        python_channel.call(target, messages.webhook_test(text, app))
    else:
        text = plain_text.defused(text)
        _as_text(target, "info", text, lambda most: text[:most])


def _as_text(target: Alert, severity: str, subject: str, body: service_channels.Body) -> None:
    if target.kind == "apprise":
        service_channels.through_apprise(target.url, severity, subject, body)
    else:
        prefect_blocks.through_block(target.block or "", subject, body)


def _require_variables(target: Alert) -> None:
    if unset := unset_variables(target):
        raise UndeliveredError(not_set(unset[0]), is_transient=False)


def _key(target: Alert) -> str:
    """A target's name in the record. Its URL may be a secret, and is not written. One of an owner is one by itself."""
    called = [json.dumps(target.args, sort_keys=True)] if target.args else []
    named = str(target.function) if target.function else target.block or target.url
    place = "\0".join([named, *called, *([target.owner] if target.owner else [])])
    return f"{target.kind}-{hashlib.sha256(place.encode()).hexdigest()[:16]}"


def name(target: Alert) -> str:
    """What a target is called in messages. Most of its URL may be a secret."""
    if target.kind in ("prefect", "python"):
        return f"{target.kind} {target.block or target.function}"
    if target.kind == "apprise":
        return f"apprise {service_channels.scheme(target.url)}://***"
    return f"{target.kind} at {http_channels.host(target.url)}"


def _read(record: Note) -> dict[str, str]:
    """Who had what. A record that cannot be read is none: an alert twice is better than none."""
    try:
        told = json.loads(record.read() or "{}")
    except (OSError, ValueError, RunError):
        return {}
    return told if isinstance(told, dict) else {}


def _write(record: Note, new: dict[str, str]) -> str:
    """Add who had what to what is written by now. Returns what went wrong, or an empty text."""
    try:
        with record.updating():
            record.write(json.dumps(_read(record) | new, indent=1, sort_keys=True))
    except (OSError, RunError) as error:
        return (
            f"the record of sent digests could not be written, the next run sends this one again: {in_one_line(error)}"
        )
    return ""

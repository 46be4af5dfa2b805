"""A digest as each kind of target takes it.

What was observed may quote users and models. JSON quotes it for a webhook; for Slack it is escaped, so that
nothing in it is a mention, a link or a broadcast.
"""

import re
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

from flows.alerts.digest import Digest
from flows.alerts.digest_items import Item
from flows.alerts.item_lines import about, acknowledged_line

# https://docs.slack.dev/reference/block-kit/blocks: the most that Slack takes.
_BLOCKS, _TEXT, _HEADER = 50, 3000, 150
_CALLS = 300  # of which a line about calls, owners and commands may take this much
_ADDRESS = ":/?#[]@!$'()*+,;=%~"  # of an address; <, >, | and & are quoted: they have a meaning in Slack
_HALF_ENTITY = re.compile(r"&[a-z]{0,3}$")
_BROADCAST = re.compile(r"@(?=everyone|channel|here)", re.IGNORECASE)
_MARKS = {"critical": ":red_circle:", "warning": ":large_yellow_circle:"}


def webhook(digest: Digest) -> dict[str, Any]:
    """The digest as plain JSON, whole."""
    return {
        "app": digest.app,
        "day": digest.day.isoformat(),
        "severity": digest.severity,
        "headline": digest.headline,
        "items": [_plain_item(item) for item in digest.items],
        "over": list(digest.over),
        "review": digest.review,
        "acknowledged": len(digest.acknowledged),
        "report": digest.report,
    }


def slack(digest: Digest) -> dict[str, Any]:
    """The digest as a Slack incoming webhook takes it, cut to Slack's limits with a count of what is left out."""
    room = _BLOCKS - 2 - bool(digest.over) - bool(digest.review)
    shown = digest.items if len(digest.items) <= room else digest.items[: room - 1]
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": _header(digest), "emoji": False}}]
    blocks += [_section(_item(item)) for item in shown]
    if len(shown) < len(digest.items):
        blocks.append(_section(f"and {len(digest.items) - len(shown)} more incidents and failed checks"))
    if digest.over:
        blocks.append(_section("\n".join(map(_escaped, digest.over))))
    if digest.review:
        blocks.append(_section(_escaped(digest.review)))
    blocks.append(_section(f"{acknowledged_line(digest)}Page of the night: {_link(digest.report)}"))
    return {"text": _cut(_escaped(digest.headline), _TEXT), "blocks": blocks, "link_names": False, "parse": "none"}


def _plain_item(item: Item) -> dict[str, Any]:
    return {name: value for name, value in asdict(item).items() if name not in ("quoted", "acknowledged")}


def webhook_test(text: str, app: str) -> dict[str, Any]:
    """A test message as plain JSON: the keys of a digest, with no items."""
    empty: dict[str, Any] = {
        "day": None,
        "severity": "info",
        "items": [],
        "over": [],
        "review": "",
        "acknowledged": 0,
        "report": None,
    }
    return {"app": app, "headline": text, **empty}


def slack_test(text: str) -> dict[str, Any]:
    """A test message as a Slack incoming webhook takes it."""
    return {"text": _cut(_escaped(text), _TEXT), "link_names": False, "parse": "none"}


def _header(digest: Digest) -> str:
    return _cut(_escaped(digest.headline), _HEADER)


def _item(item: Item) -> str:
    return _incident(item) if item.is_incident else _check(item)


def _incident(item: Item) -> str:
    """Severity, age, need and title, then the sentences that follow it; the page is named once, below all."""
    rest = item.observed.removeprefix(item.title).lstrip(". ")
    calls = "".join(f"\n{_cut(_escaped(line), _CALLS)}" for line in about(item))
    text = f"{_MARKS[item.severity]} *{item.severity}, {item.age}*: {_escaped(item.title)}"
    return _cut(f"{text}\n{_escaped(rest)}" if rest else text, _TEXT - len(calls)) + calls


def _check(item: Item) -> str:
    name = _escaped(f"{item.suite}: {item.expectation}, {item.subject}")
    text = f"{_MARKS[item.severity]} *{item.severity}* {name}\nexpected: {_escaped(item.expected)}"
    where = "".join(f"\n{_cut(_escaped(line), _CALLS)}" for line in about(item)) + f"\npage: {_link(item.where)}"
    room = _TEXT - len(where)
    return _cut(f"{text}\nobserved: {_escaped(item.observed)}", room) + where


def _section(text: str) -> dict[str, Any]:
    # verbatim: Slack makes no links, channels or mentions out of plain words.
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, _TEXT), "verbatim": True}}


def _link(address: str) -> str:
    """A link to an address of `report_url`; a path as text."""
    if not address.startswith(("https://", "http://")):
        return _escaped(address)
    return f"<{quote(address, safe=_ADDRESS)}>"


def _escaped(text: str) -> str:
    """Slack's escapes (&, <, > and nothing else), and an invisible word joiner in what calls everybody."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _BROADCAST.sub("@\u2060", text)


def _cut(text: str, most: int) -> str:
    """`text` within `most` characters; where it is cut, it says by how many. No escape is cut in two."""
    if len(text) <= most:
        return text
    kept = _HALF_ENTITY.sub("", text[: most - 32])
    return f"{kept}… ({len(text) - len(kept):,} more characters)"

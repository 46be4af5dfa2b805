"""A digest as each kind of target takes it.

What was observed may quote users and models. JSON quotes it for a webhook; for Slack it is escaped, so that
nothing in it is a mention, a link or a broadcast.
"""

import re
from dataclasses import asdict
from typing import Any

from flows.alerts.digest import Digest, Item

# https://docs.slack.dev/reference/block-kit/blocks: the most that Slack takes.
_BLOCKS, _TEXT, _HEADER = 50, 3000, 150
_CALLS = 600  # of which the calls to look at may take this much
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
        "items": [asdict(item) for item in digest.items],
        "report": digest.report,
    }


def slack(digest: Digest) -> dict[str, Any]:
    """The digest as a Slack incoming webhook takes it, cut to Slack's limits with a count of what is left out."""
    shown = digest.items if len(digest.items) <= _BLOCKS - 2 else digest.items[: _BLOCKS - 3]
    blocks = [{"type": "header", "text": {"type": "plain_text", "text": _header(digest), "emoji": False}}]
    blocks += [_section(_item(item)) for item in shown]
    if len(shown) < len(digest.items):
        blocks.append(_section(f"and {len(digest.items) - len(shown)} more failed expectations"))
    blocks.append(_section(f"Report: {_escaped(digest.report)}"))
    return {"text": _cut(_escaped(digest.headline), _TEXT), "blocks": blocks, "link_names": False, "parse": "none"}


def webhook_test(app: str) -> dict[str, Any]:
    """A test message as plain JSON: the keys of a digest, with no items."""
    return {"app": app, "day": None, "severity": "info", "headline": _test_text(app), "items": [], "report": None}


def slack_test(app: str) -> dict[str, Any]:
    """A test message as a Slack incoming webhook takes it."""
    return {"text": _cut(_escaped(_test_text(app)), _TEXT), "link_names": False, "parse": "none"}


def _test_text(app: str) -> str:
    return f"{app}: a test of genchi's alerts. Findings of a night will arrive here."


def _header(digest: Digest) -> str:
    counts = [f"{digest.count(severity)} {severity}" for severity in _MARKS if digest.count(severity)]
    return _cut(_escaped(f"{digest.app}, {digest.day}: {', '.join(counts)}"), _HEADER)


def _item(item: Item) -> str:
    name = _escaped(f"{item.suite}: {item.expectation}, {item.subject}")
    text = f"{_MARKS[item.severity]} *{item.severity}* {name}\nexpected: {_escaped(item.expected)}"
    where = f"\npage: {_escaped(item.where)}"
    if item.calls:
        where = "\n" + _cut(f"example calls: {_escaped(', '.join(item.calls))}", _CALLS) + where
    room = _TEXT - len(where)
    return _cut(f"{text}\nobserved: {_escaped(item.observed)}", room) + where


def _section(text: str) -> dict[str, Any]:
    # verbatim: Slack makes no links, channels or mentions out of plain words.
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, _TEXT), "verbatim": True}}


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

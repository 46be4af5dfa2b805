"""A digest as plain text, for e-mail, chats and on-call services: a subject, and a body that fits.

What was observed may quote users and models. Nothing in it is a mention, a broadcast or a link with another text: an
invisible word joiner stands where a chat would begin one.
"""

import re
from collections.abc import Iterator

from flows.alerts.digest import Digest
from flows.alerts.digest_items import Item
from flows.alerts.item_lines import about, acknowledged_line
from flows.words import counted

_MEANT = re.compile(r"@(?=\w)|<(?=[@!#:/a-z])|\](?=\()", re.IGNORECASE)
_SUBJECT = 200
_LEAST = 120  # characters of an item, below which the page is named alone


def subject(digest: Digest, most: int = _SUBJECT) -> str:
    """The headline on one line, within `most` characters."""
    return _cut(defused(" ".join(digest.headline.split())), min(most, _SUBJECT))


def body(digest: Digest, most: int) -> str:
    """The items, what is over, and the page, within `most` characters; whole items, and a count of those left out."""
    end = f"{acknowledged_line(digest)}Page of the night: {digest.report}"
    if len(end) + _LEAST > most:
        return _cut(end, most)
    room = most - len(end) - 2
    others = ["\n".join(map(defused, digest.over)), defused(digest.review)]
    blocks = [*map(_item, digest.items), *filter(None, others)]
    shown = next(n for n in range(len(blocks), -1, -1) if len(_joined(blocks, n)) <= room)
    if not shown and blocks:
        return f"{_cut(blocks[0], room - len(_more(len(blocks) - 1)) - 2)}\n\n{_more(len(blocks) - 1)}\n\n{end}"
    return "\n\n".join(filter(None, [_joined(blocks, shown), end]))


def _joined(blocks: list[str], shown: int) -> str:
    left = _more(len(blocks) - shown)
    return "\n\n".join(filter(None, [*blocks[:shown], left]))


def text_of_test(app: str) -> str:
    """A test message."""
    return f"{app}: a test of genchi's alerts. The incidents of a night will arrive here."


def defused(text: str) -> str:
    """`text` without mentions, broadcasts, tags and links that have another text than their address."""
    return _MEANT.sub(lambda found: f"{found[0]}\u2060", text)


def _more(count: int) -> str:
    return f"and {counted(count, 'more entry', 'more entries')}, on the page" if count else ""


def _item(item: Item) -> str:
    return defused("\n".join(_incident(item) if item.is_incident else _check(item)))


def _incident(item: Item) -> Iterator[str]:
    yield f"{item.severity}, {item.age}: {item.title}"
    if rest := item.observed.removeprefix(item.title).lstrip(". "):
        yield rest
    yield from about(item)


def _check(item: Item) -> Iterator[str]:
    yield f"{item.severity} check: {item.suite}: {item.expectation}, {item.subject}"
    yield f"expected: {item.expected}"
    yield f"observed: {item.observed}"
    yield from about(item)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: max(0, most - 1)] + "…"

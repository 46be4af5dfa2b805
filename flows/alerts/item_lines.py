"""What every message for people says about an item below its title and sentences, and about what it leaves out."""

from flows.alerts.digest import Digest
from flows.alerts.digest_items import Item
from flows.words import counted

_CALLS = 4


def about(item: Item) -> list[str]:
    """Its need, owners, example calls with their texts where it has them, and commands."""
    return [
        *([f"in question: {item.need.replace('_', ' ')}"] if item.need else []),
        *([f"owner: {', '.join(item.owners)}"] if item.owners else []),
        *([f"example calls: {', '.join(item.calls[:_CALLS])}{_more(item)}"] if item.calls else []),
        *item.examples,
        *([f"look: {'; '.join(item.commands)}"] if item.commands else []),
    ]


def _more(item: Item) -> str:
    left = len(item.calls) - _CALLS
    return f" and {left:,} more" if left > 0 else ""


def acknowledged_line(digest: Digest) -> str:
    """That incidents are acknowledged and not repeated; empty where none is."""
    count = len(digest.acknowledged)
    if not count:
        return ""
    return f"{counted(count, 'acknowledged incident is', 'acknowledged incidents are')} not repeated.\n"

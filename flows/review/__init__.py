"""People judge answers: the queue of a day, the page on which they judge, and their labels.

The page is imported when it is first used: a night, which needs the rest, needs no web server.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from flows.review.labels import (
    Collected,
    Entry,
    as_csv,
    as_jsonl,
    collect,
    import_labels,
    journal_of,
    labels_of,
    try_collect,
)
from flows.review.queue import Question, add_items

if TYPE_CHECKING:
    from flows.review.page import Apply, Place, Suggest, serve

_LATE = ("Apply", "Place", "Suggest", "serve")

__all__ = [
    "Apply",
    "Collected",
    "Entry",
    "Place",
    "Question",
    "Suggest",
    "add_items",
    "as_csv",
    "as_jsonl",
    "collect",
    "import_labels",
    "journal_of",
    "labels_of",
    "serve",
    "try_collect",
]


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.page"), name)

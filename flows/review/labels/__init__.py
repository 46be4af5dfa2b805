"""What people decided: a local journal, its way into the lake, and labels as files."""

from flows.review.labels.collection import Collected, collect, day_of, one_at_a_time, publish, try_collect
from flows.review.labels.label_files import as_csv, as_jsonl, labels_of
from flows.review.labels.label_import import CHOICES, Imported, import_labels
from flows.review.labels.label_journal import Entry, Journal, journal_of
from flows.review.labels.label_store import LabelStore, Name, name_of

__all__ = [
    "CHOICES",
    "Collected",
    "Entry",
    "Imported",
    "Journal",
    "LabelStore",
    "Name",
    "as_csv",
    "as_jsonl",
    "collect",
    "day_of",
    "import_labels",
    "journal_of",
    "labels_of",
    "name_of",
    "one_at_a_time",
    "publish",
    "try_collect",
]

"""From the logs that people have to the lake: every record is landed, or quarantined whole with its reason.

`sources/<format>.sql` says what a log format means, one SELECT a format. Drop a file there to add one.
"""

from flows.ingest.example_sets import describe_example_sets
from flows.ingest.find import count_rows, shown_dsn, unreadable

__all__ = ["count_rows", "describe_example_sets", "shown_dsn", "unreadable"]

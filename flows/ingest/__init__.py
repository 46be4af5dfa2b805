"""From the logs that people have to the lake: every record is landed, or quarantined whole with its reason.

`sources/<format>.sql` says what a log format means, one SELECT a format; `formats/<format>.sql` of a workspace, too.
"""

from flows.ingest.example_sets import current_examples, describe_example_sets, version_of_route
from flows.ingest.find import count_rows, postgres_rows, sample_query, shown_dsn, unreadable
from flows.ingest.preview import (
    SAMPLE,
    Discovery,
    FoundSource,
    Previewer,
    SampleReading,
    check_formats,
    discover,
    is_database,
    located,
    unusable_formats,
)
from flows.ingest.pull import first_page
from flows.ingest.read import LogFile

__all__ = [
    "SAMPLE",
    "Discovery",
    "FoundSource",
    "LogFile",
    "Previewer",
    "SampleReading",
    "check_formats",
    "count_rows",
    "current_examples",
    "describe_example_sets",
    "discover",
    "first_page",
    "is_database",
    "located",
    "postgres_rows",
    "sample_query",
    "shown_dsn",
    "unreadable",
    "unusable_formats",
    "version_of_route",
]

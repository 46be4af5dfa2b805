"""From the logs that people have to the lake: every record is landed, or quarantined whole with its reason.

`sources/<format>.sql` says what a log format means, one SELECT a format. Drop a file there to add one.
"""

from flows.ingest.example_sets import describe_example_sets, version_of_route
from flows.ingest.find import count_rows, postgres_rows, sample_query, shown_dsn, unreadable
from flows.ingest.preview import (
    SAMPLE,
    Discovery,
    FoundSource,
    Previewer,
    SampleReading,
    discover,
    is_database,
    located,
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
    "count_rows",
    "describe_example_sets",
    "discover",
    "first_page",
    "is_database",
    "located",
    "postgres_rows",
    "sample_query",
    "shown_dsn",
    "unreadable",
    "version_of_route",
]

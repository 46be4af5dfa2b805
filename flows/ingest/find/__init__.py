"""Which files, objects and rows a night reads."""

from flows.ingest.find.arrivals import arrived, opened
from flows.ingest.find.fetching import fetched
from flows.ingest.find.known_files import Manifests
from flows.ingest.find.postgres import count_rows, postgres_rows, sample_query, shown_dsn
from flows.ingest.find.postgres_tables import Table, tables
from flows.ingest.find.source_check import unreadable

__all__ = [
    "Manifests",
    "Table",
    "arrived",
    "count_rows",
    "fetched",
    "opened",
    "postgres_rows",
    "sample_query",
    "shown_dsn",
    "tables",
    "unreadable",
]

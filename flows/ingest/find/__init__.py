"""Which files, objects and rows a night reads."""

from flows.ingest.find.arrivals import Manifests, arrived, opened, shown
from flows.ingest.find.fetching import fetched
from flows.ingest.find.postgres import count_rows, postgres_rows, sample_query, shown_dsn
from flows.ingest.find.postgres_tables import Table, tables

__all__ = [
    "Manifests",
    "Table",
    "arrived",
    "count_rows",
    "fetched",
    "opened",
    "postgres_rows",
    "sample_query",
    "shown",
    "shown_dsn",
    "tables",
]

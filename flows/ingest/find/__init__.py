"""Which files, objects and rows a night reads."""

from flows.ingest.find.arrivals import arrived
from flows.ingest.find.fetching import fetched
from flows.ingest.find.known_files import Manifests
from flows.ingest.find.postgres import count_rows, shown_dsn
from flows.ingest.find.source_check import unreadable

__all__ = ["Manifests", "arrived", "count_rows", "fetched", "shown_dsn", "unreadable"]

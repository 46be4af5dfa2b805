"""Which files, objects and rows a night reads."""

from flows.ingest.find.arrivals import Manifests, arrived
from flows.ingest.find.fetching import fetched
from flows.ingest.find.postgres import count_rows, shown_dsn

__all__ = ["Manifests", "arrived", "count_rows", "fetched", "shown_dsn"]

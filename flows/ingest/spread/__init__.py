"""Reading logs as tasks on a cluster: workers read, map, redact and stage rows; the process of the run publishes."""

from flows.ingest.spread.pieces import Files
from flows.ingest.spread.readings import Reading
from flows.ingest.spread.spreading import Spread

__all__ = ["Files", "Reading", "Spread"]

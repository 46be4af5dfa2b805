"""Rows to the days they belong to, and the manifest that accounts for every record."""

from flows.ingest.write.manifest import KINDS, REFUSED_AGAIN, KnownRejects, Quarantine, RecordCounts, stage_manifest
from flows.ingest.write.partitions import Partitions

__all__ = ["KINDS", "REFUSED_AGAIN", "KnownRejects", "Partitions", "Quarantine", "RecordCounts", "stage_manifest"]

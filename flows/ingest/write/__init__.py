"""Rows to the days they belong to, rejected records to quarantine, and the manifest that counts every record."""

from flows.ingest.write.manifest import KINDS, REFUSED_AGAIN, RecordCounts, stage_manifest
from flows.ingest.write.partitions import Partitions
from flows.ingest.write.quarantine import KnownRejects, Quarantine

__all__ = ["KINDS", "REFUSED_AGAIN", "KnownRejects", "Partitions", "Quarantine", "RecordCounts", "stage_manifest"]

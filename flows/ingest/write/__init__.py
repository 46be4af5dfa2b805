"""Rows to the days they belong to, rejected records to quarantine, and the manifest that counts every record."""

from flows.ingest.write.day_files import Part
from flows.ingest.write.forgotten import Sieve
from flows.ingest.write.lanes import Lanes
from flows.ingest.write.manifest import (
    INCOMPLETE,
    KINDS,
    REFUSED_AGAIN,
    ManifestRow,
    RecordCounts,
    stage_manifest,
)
from flows.ingest.write.partitions import Partitions
from flows.ingest.write.quarantine import KnownRejects, Quarantine, stage_resolved

__all__ = [
    "INCOMPLETE",
    "KINDS",
    "REFUSED_AGAIN",
    "KnownRejects",
    "Lanes",
    "ManifestRow",
    "Part",
    "Partitions",
    "Quarantine",
    "RecordCounts",
    "Sieve",
    "stage_manifest",
    "stage_resolved",
]

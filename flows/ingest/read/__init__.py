"""Files to batches of records, in bounded memory: lines, JSON documents, CSV, Parquet, compressed or not."""

from flows.ingest.read.arrow_batches import RECORDS, REFUSED, Batch
from flows.ingest.read.reader import LogFile, identify, read_files
from flows.ingest.read.record_batches import IN_BASE64, Batches

__all__ = ["IN_BASE64", "RECORDS", "REFUSED", "Batch", "Batches", "LogFile", "identify", "read_files"]

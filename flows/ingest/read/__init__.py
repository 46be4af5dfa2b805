"""Files to batches of records, in bounded memory: lines, JSON documents, CSV, Parquet, compressed or not."""

from flows.ingest.read.arrow_batches import BATCH_BYTES, RECORDS, REFUSED, Batch
from flows.ingest.read.contents import HEAD_BYTES, Content, content_of, stored_hash
from flows.ingest.read.file_ranges import Span, SpanRead, digest_of, read_span, spans_of
from flows.ingest.read.reader import EarlierReading, LogFile, read_files
from flows.ingest.read.reading_ahead import ahead
from flows.ingest.read.record_batches import IN_BASE64, Batches

__all__ = [
    "BATCH_BYTES",
    "HEAD_BYTES",
    "IN_BASE64",
    "RECORDS",
    "REFUSED",
    "Batch",
    "Batches",
    "Content",
    "EarlierReading",
    "LogFile",
    "Span",
    "SpanRead",
    "ahead",
    "content_of",
    "digest_of",
    "read_files",
    "read_span",
    "spans_of",
    "stored_hash",
]

"""What becomes of a sample of records: which format reads them best, and what it reads. Nothing is written."""

from flows.ingest.preview.discovery import Discovery, FoundSource, discover, is_database
from flows.ingest.preview.newest_file import located
from flows.ingest.preview.own_formats import check_formats, unusable_formats
from flows.ingest.preview.sample_reading import SAMPLE, Previewer, SampleReading

__all__ = [
    "SAMPLE",
    "Discovery",
    "FoundSource",
    "Previewer",
    "SampleReading",
    "check_formats",
    "discover",
    "is_database",
    "located",
    "unusable_formats",
]

"""The lake: Parquet files by table and day, on a disk or in an object store; its schemas, locks and transactions."""

from flows.lake.atomic import replace_bytes, replace_text, scratch_prefix
from flows.lake.backends import Backend
from flows.lake.cloud_backend import open_backend
from flows.lake.file_pieces import FilePiece, pieces_of, rows_of_piece
from flows.lake.inventory import Fault, in_one_text
from flows.lake.lake import (
    LATE_DAYS,
    SCHEMAS,
    UNWRAPPED,
    Lake,
    Staging,
    batches_of,
    conform,
    each_day,
    from_rows,
    nightly_run_id,
)
from flows.lake.lookup import first_rejects, rows_with
from flows.lake.migration import VERSION as LAKE_VERSION
from flows.lake.migration import has_same_files
from flows.lake.notes import Note
from flows.lake.parquet_files import CorruptError, replace_parquet
from flows.lake.permissions import Readers, withhold
from flows.lake.probe_text import probe, probing, read_probe
from flows.lake.query_limits import QueryLimits
from flows.lake.retractions import in_force
from flows.lake.source_files import Listing, Unread, find_files, open_binary, reason_of, search
from flows.lake.storable_values import count_of, storable, storable_row
from flows.lake.store_addresses import Found, Storage, is_remote, known_place, scheme_of
from flows.lake.tombstones import (
    CALL,
    REQUEST,
    SHARED,
    USER,
    Tombstones,
    add_tombstones,
    read_tombstones,
    strings_of,
    user_key,
)
from flows.lake.transaction import StagedFile
from flows.lake.worker_staging import WorkerStaging, join_staging
from flows.lake.written_files import WrittenFile, take_written

__all__ = [
    "CALL",
    "LAKE_VERSION",
    "LATE_DAYS",
    "REQUEST",
    "SCHEMAS",
    "SHARED",
    "UNWRAPPED",
    "USER",
    "Backend",
    "CorruptError",
    "Fault",
    "FilePiece",
    "Found",
    "Lake",
    "Listing",
    "Note",
    "QueryLimits",
    "Readers",
    "StagedFile",
    "Staging",
    "Storage",
    "Tombstones",
    "Unread",
    "WorkerStaging",
    "WrittenFile",
    "add_tombstones",
    "batches_of",
    "conform",
    "count_of",
    "each_day",
    "find_files",
    "first_rejects",
    "from_rows",
    "has_same_files",
    "in_force",
    "in_one_text",
    "is_remote",
    "join_staging",
    "known_place",
    "nightly_run_id",
    "open_backend",
    "open_binary",
    "pieces_of",
    "probe",
    "probing",
    "read_probe",
    "read_tombstones",
    "reason_of",
    "replace_bytes",
    "replace_parquet",
    "replace_text",
    "rows_of_piece",
    "rows_with",
    "scheme_of",
    "scratch_prefix",
    "search",
    "storable",
    "storable_row",
    "strings_of",
    "take_written",
    "user_key",
    "withhold",
]

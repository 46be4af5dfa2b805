"""The lake: Parquet files by table and day, on a disk or in an object store; its schemas, lock and transactions."""

from flows.lake.atomic import replace_text
from flows.lake.lake import (
    LATE_DAYS,
    SCHEMAS,
    UNWRAPPED,
    Lake,
    Note,
    Staging,
    batches_of,
    conform,
    each_day,
    from_rows,
    nightly_run_id,
    replace_parquet,
)
from flows.lake.lookup import rows_with
from flows.lake.object_store import Found, Storage, is_remote, known_place
from flows.lake.source_files import Listing, Unread, find_files, open_binary, reason_of, search
from flows.lake.storable_values import count_of, storable, storable_row

__all__ = [
    "LATE_DAYS",
    "SCHEMAS",
    "UNWRAPPED",
    "Found",
    "Lake",
    "Listing",
    "Note",
    "Staging",
    "Storage",
    "Unread",
    "batches_of",
    "conform",
    "count_of",
    "each_day",
    "find_files",
    "from_rows",
    "is_remote",
    "known_place",
    "nightly_run_id",
    "open_binary",
    "reason_of",
    "replace_parquet",
    "replace_text",
    "rows_with",
    "search",
    "storable",
    "storable_row",
]

"""Personal data and keys removed from rows before anything is written."""

from flows.ingest.redact.field_paths import drop_paths
from flows.ingest.redact.file_names import FileNames
from flows.ingest.redact.redaction import Redactor
from flows.ingest.redact.user_keys import user_key_macro, without_users

__all__ = ["FileNames", "Redactor", "drop_paths", "user_key_macro", "without_users"]

"""A day's records from the API of Langfuse or Phoenix, page by page, kept as files until they are read."""

from flows.ingest.pull.api_client import Clients
from flows.ingest.pull.pulling import first_page, pull, shown_page
from flows.ingest.pull.spool import clear_read, spool_of

__all__ = ["Clients", "clear_read", "first_page", "pull", "shown_page", "spool_of"]

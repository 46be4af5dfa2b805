"""The one client of LLMs, over litellm: limits, retries, batch API and price table."""

from flows.llm.batch_api import PRICE, Batches, Line
from flows.llm.client import (
    ATTEMPTS,
    TIMEOUT_S,
    Answer,
    ClientFactory,
    LiteLLMClient,
    Message,
    ModelClient,
    close_clients,
    load_litellm,
)
from flows.llm.local_providers import is_local, register_local_providers
from flows.llm.price_table import Entry, ends_on, price_table_entries
from flows.llm.rate_limits import Pacer
from flows.llm.retries import FIRST_PAUSE_S, is_transient, pause_s

__all__ = [
    "ATTEMPTS",
    "FIRST_PAUSE_S",
    "PRICE",
    "TIMEOUT_S",
    "Answer",
    "Batches",
    "ClientFactory",
    "Entry",
    "Line",
    "LiteLLMClient",
    "Message",
    "ModelClient",
    "Pacer",
    "close_clients",
    "ends_on",
    "is_local",
    "is_transient",
    "load_litellm",
    "pause_s",
    "price_table_entries",
    "register_local_providers",
]

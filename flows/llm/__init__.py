"""The one client of LLMs, over litellm: limits, retries, batch API and price table."""

from flows.llm.answer import Answer
from flows.llm.batch_api import PRICE, Batches, Line
from flows.llm.client import (
    ClientFactory,
    LiteLLMClient,
    Message,
    ModelClient,
    api_key_of,
    close_clients,
    paced_clients,
)
from flows.llm.failures import NOT_SENT, OWN, class_of_row
from flows.llm.finish_reasons import common_reason, failure_told_by
from flows.llm.litellm_setup import load_litellm
from flows.llm.local_providers import is_local, register_local_providers
from flows.llm.price_table import Entry, ends_on, price_table_entries
from flows.llm.rate_limits import HANG_PATIENCE_S, TIMEOUT_S, Breaker, Pacer, breaker_name
from flows.llm.retries import FIRST_PAUSE_S, provider_retries

__all__ = [
    "FIRST_PAUSE_S",
    "HANG_PATIENCE_S",
    "NOT_SENT",
    "OWN",
    "PRICE",
    "TIMEOUT_S",
    "Answer",
    "Batches",
    "Breaker",
    "ClientFactory",
    "Entry",
    "Line",
    "LiteLLMClient",
    "Message",
    "ModelClient",
    "Pacer",
    "api_key_of",
    "breaker_name",
    "class_of_row",
    "close_clients",
    "common_reason",
    "ends_on",
    "failure_told_by",
    "is_local",
    "load_litellm",
    "paced_clients",
    "price_table_entries",
    "provider_retries",
    "register_local_providers",
]

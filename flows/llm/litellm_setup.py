"""How litellm is imported and configured: late, because it takes seconds, and without access to the internet."""

import logging
import os
import warnings
from contextvars import ContextVar
from typing import Any


def load_litellm() -> Any:
    """Import litellm and configure it: no price list from the internet, no telemetry, no hints on stderr."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    # a warning of pydantic about litellm's own types, which are built at the first answer
    warnings.filterwarnings("ignore", message=".*`ReadOnly` qualifier", category=UserWarning)
    import litellm  # noqa: PLC0415 - imported late: costs 5 s

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    for name in ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return litellm


def internal_call_flag() -> ContextVar[bool]:
    """litellm's flag for nested calls. While it is set, litellm builds no log record for callbacks, of which there are
    none here; such records take a tenth of its time.

    The flag is not part of litellm's public API. If a later version has none, setting the returned one has no effect.
    """
    try:
        from litellm._internal_context import is_internal_call  # noqa: PLC0415 - imported late: costs 5 s
    except ImportError:
        return ContextVar("is_internal_call")
    flag: ContextVar[bool] = is_internal_call
    return flag

"""Settings of the libraries: no calls to the internet, no output among genchi's lines, no needless start-up work.

`configure_environment` has to run before prefect, dbt or litellm is imported; what a user has set in the
environment stays.
"""

import gc
import logging
import os
import warnings

_SETTINGS = {
    "DO_NOT_TRACK": "1",  # Prefect's SDK and dbt
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",  # the ephemeral server prints a stack trace when it is stopped
    "PREFECT_LOGGING_LEVEL": "CRITICAL",  # failures are shown once, in genchi's words
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "60",  # 20 by default: too few on a busy small machine
    "PREFECT_CLI_PROMPT": "false",
    # A night uses no blocks. For their sake an ephemeral server would import dbt before it answers: two seconds.
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
    "PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # the price list that came with the package
    "LITELLM_LOG": "CRITICAL",
    "GX_ANALYTICS_ENABLED": "false",
}


def configure_environment() -> None:
    """Set the environment and the loggers of other people's libraries; show genchi's own lines."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    for name in ("great_expectations", "litellm", "LiteLLM", "httpx", "evidently", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in ("flows", "expectations"):  # dbt gives the root logger a level of its own
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.simplefilter("ignore")  # they are for developers; the tests turn them into errors


def collect_rarely() -> None:
    """Let Python look for unused cycles of objects less often.

    What dbt and Great Expectations load lives until the end, and by default is looked through again and again: a tenth
    of the CPU time of a small night.
    """
    gc.set_threshold(50_000, 20, 100)

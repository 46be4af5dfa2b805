"""Retries of requests to a provider: how long to wait before the next attempt.

Which failures are transient, `failures` decides: those whose class may pass.
"""

import random
from collections.abc import Callable

from tenacity import AsyncRetrying

from flows.llm.failures import ACCOUNT, class_of, is_transient
from flows.retry_policy import patient_retries, requested_pause_s

FIRST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_RETRY_AFTER_S = 0.5, 20.0, 60.0


def is_provider_failure(error: BaseException) -> bool:
    """Whether other requests to the provider would fail too: a transient failure, a refused key, or no money left."""
    return is_transient(error) or class_of(error) == ACCOUNT


def provider_retries(
    first_pause_s: float = FIRST_PAUSE_S, before_pause: Callable[[BaseException], None] | None = None
) -> AsyncRetrying:
    """Retries of one request after transient failures, with the pauses of `pause_s`; see `patient_retries`."""
    return patient_retries(is_transient, lambda error, failed: pause_s(error, failed, first_pause_s), before_pause)


def pause_s(error: BaseException, attempt: int, first_pause_s: float = FIRST_PAUSE_S) -> float:
    """Seconds until the next attempt: exponential with full jitter, or the Retry-After of `error` if that is longer.

    `attempt` is the number of failures before this one.
    The method is Brooker's (2015, "Exponential backoff and jitter", AWS Architecture Blog).
    """
    jittered = random.uniform(0, min(LONGEST_PAUSE_S, first_pause_s * 2**attempt))  # noqa: S311 - not used for security
    return max(jittered, retry_after_s(error))


def retry_after_s(error: BaseException) -> float:
    """The pause that the provider requests, in seconds, at most LONGEST_RETRY_AFTER_S; 0 without a valid header."""
    return min(LONGEST_RETRY_AFTER_S, requested_pause_s(getattr(error, "litellm_response_headers", None) or {}))

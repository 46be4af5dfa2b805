"""Retries of requests to a provider: how long to wait before the next attempt.

Which failures are transient, `failures` decides: those whose class may pass.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tenacity import AsyncRetrying

from flows.llm.failures import ACCOUNT, class_of, is_transient
from flows.retry_policy import patient_retries

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
    """The pause that the provider requests, in seconds, at most LONGEST_RETRY_AFTER_S; 0 without a valid header.

    Retry-After is seconds or an HTTP date (RFC 9110, 10.2.3). A date is compared with the response's own Date header
    if it has one, because the two clocks may differ. OpenAI's retry-after-ms is milliseconds.
    """
    headers = {name.lower(): value for name, value in (getattr(error, "litellm_response_headers", None) or {}).items()}
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        seconds = milliseconds / 1000
    elif (number := _number(headers.get("retry-after"))) is not None:
        seconds = number
    else:
        seconds = _seconds_until(headers.get("retry-after"), headers.get("date"))
    return min(LONGEST_RETRY_AFTER_S, max(0.0, seconds))


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None  # neither infinite nor nan


def _seconds_until(then: str | None, now: str | None) -> float:
    end = _time(then)
    return 0.0 if end is None else (end - (_time(now) or datetime.now(UTC))).total_seconds()


def _time(text: str | None) -> datetime | None:
    try:
        time = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)

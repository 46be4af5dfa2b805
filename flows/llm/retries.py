"""Which failures of a provider may pass, how long to wait for it, and the retries of what may.

A failure is transient or permanent. Transient is what the same request may not meet again: 408, 409, 425, 429,
any 5xx, a timeout, a lost connection, a reply that is no JSON (litellm calls the last two a 500). Permanent is what
will fail each time: 400 and a context overflow, 401, 402, 403, 404 and other 4xx, and a 429 for want of money.
"""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tenacity import AsyncRetrying

from flows.retry_policy import patient_retries

FIRST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_RETRY_AFTER_S = 0.5, 20.0, 60.0
_TRANSIENT_4XX = (408, 409, 425, 429)
_REFUSES_EVERYBODY = (401, 402, 403)


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed later; see the module."""
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        spent = "insufficient_quota" in str(error)  # a 429 that lasts until somebody pays
        return (status in _TRANSIENT_4XX and not spent) or status >= 500
    return isinstance(error, (TimeoutError, OSError, json.JSONDecodeError))


def tells_of_the_provider(error: BaseException) -> bool:
    """Whether any other question would meet it too: what may pass, a refused key (401, 403), no money (402)."""
    return is_transient(error) or getattr(error, "status_code", None) in (*_REFUSES_EVERYBODY, 429)


def provider_retries(
    first_pause_s: float = FIRST_PAUSE_S, before_pause: Callable[[BaseException], None] | None = None
) -> AsyncRetrying:
    """Retries of one request to a provider: transient failures, at the pauses of `pause_s`; see `patient_retries`."""
    return patient_retries(is_transient, lambda error, failed: pause_s(error, failed, first_pause_s), before_pause)


def pause_s(error: BaseException, attempt: int, first_pause_s: float = FIRST_PAUSE_S) -> float:
    """Seconds until the next attempt: exponential with full jitter, or what Retry-After asks where that is longer.

    The method is Brooker's (2015, "Exponential backoff and jitter", AWS Architecture Blog).
    """
    jittered = random.uniform(0, min(LONGEST_PAUSE_S, first_pause_s * 2**attempt))  # noqa: S311 - no secret hangs on it
    return max(jittered, retry_after_s(error))


def retry_after_s(error: BaseException) -> float:
    """Seconds for which the provider asks not to be asked, at most LONGEST_RETRY_AFTER_S; 0 where it does not say.

    Retry-After is seconds or an HTTP date (RFC 9110, 10.2.3), counted from the answer's own Date where it has one,
    so that two clocks are not compared; OpenAI's retry-after-ms is milliseconds.
    """
    headers = {name.lower(): value for name, value in (getattr(error, "litellm_response_headers", None) or {}).items()}
    if (exact := _number(headers.get("retry-after-ms"))) is not None:
        seconds = exact / 1000
    elif (plain := _number(headers.get("retry-after"))) is not None:
        seconds = plain
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
    wanted = _time(then)
    return 0.0 if wanted is None else (wanted - (_time(now) or datetime.now(UTC))).total_seconds()


def _time(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

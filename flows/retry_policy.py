"""How often a failed call is retried, and how long to wait between attempts. Callers say which failures are transient.

`patient_retries` is for models, where thousands of requests share one provider: up to six attempts, with pauses that
the caller computes. `paced_retries` is the same for a server that is asked for one thing after the other.
`brief_retries` is for one message or one object: three attempts with fixed pauses.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_chain,
    wait_fixed,
)

ATTEMPTS = 6
_BRIEF_PAUSES_S = (0.5, 2.0)


def patient_retries(
    is_transient: Callable[[BaseException], bool],
    pause_s: Callable[[BaseException, int], float],
    before_pause: Callable[[BaseException], None] | None = None,
) -> AsyncRetrying:
    """Up to ATTEMPTS calls of a coroutine function; the last failure is raised.

    `pause_s` gives the seconds to wait after a failure and the number of failures before it. `before_pause` is called
    with each failure that is followed by another attempt.
    """

    def wait(state: RetryCallState) -> float:
        return pause_s(_failure_of(state), state.attempt_number - 1)

    def before_sleep(state: RetryCallState) -> None:
        if before_pause is not None:
            before_pause(_failure_of(state))

    return AsyncRetrying(
        retry=retry_if_exception(is_transient),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait,
        before_sleep=before_sleep,
        reraise=True,
    )


def paced_retries(
    is_transient: Callable[[BaseException], bool],
    pause_s: Callable[[BaseException, int], float],
    sleep: Callable[[float], None] = time.sleep,
) -> Retrying:
    """Up to ATTEMPTS calls of a function; the last failure is raised. `pause_s` is that of `patient_retries`."""
    return Retrying(
        retry=retry_if_exception(is_transient),
        stop=stop_after_attempt(ATTEMPTS),
        wait=lambda state: pause_s(_failure_of(state), state.attempt_number - 1),
        sleep=sleep,
        reraise=True,
    )


def requested_pause_s(headers: Mapping[str, str]) -> float:
    """The pause that a response asks for, in seconds; 0 without a valid header. Names are of any case.

    Retry-After is seconds or an HTTP date (RFC 9110, 10.2.3). A date is compared with the response's own Date header
    if it has one, because the two clocks may differ. OpenAI's retry-after-ms is milliseconds.
    """
    known = {name.lower(): value for name, value in headers.items()}
    if (milliseconds := _number(known.get("retry-after-ms"))) is not None:
        seconds = milliseconds / 1000
    elif (number := _number(known.get("retry-after"))) is not None:
        seconds = number
    else:
        seconds = _seconds_until(known.get("retry-after"), known.get("date"))
    return max(0.0, seconds)


def brief_retries(
    is_transient: Callable[[BaseException], bool], sleep: Callable[[float], None] = time.sleep
) -> Retrying:
    """Up to three calls of a function, half a second and two seconds apart; the last failure is raised."""
    return Retrying(
        retry=retry_if_exception(is_transient),
        stop=stop_after_attempt(len(_BRIEF_PAUSES_S) + 1),
        wait=wait_chain(*map(wait_fixed, _BRIEF_PAUSES_S)),
        sleep=sleep,
        reraise=True,
    )


def _failure_of(state: RetryCallState) -> BaseException:
    """The exception of the last attempt."""
    assert state.outcome is not None
    failure = state.outcome.exception()
    assert failure is not None
    return failure


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
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

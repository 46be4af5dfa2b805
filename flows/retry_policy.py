"""How often a failed call is retried, and how long to wait between attempts. Callers say which failures are transient.

`patient_retries` is for models, where thousands of requests share one provider: up to six attempts, with pauses that
the caller computes. `brief_retries` is for one message or one object: three attempts with fixed pauses.
"""

import time
from collections.abc import Callable

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

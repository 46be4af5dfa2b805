"""What holds the asking back: the provider's pace, its wish not to be asked for a while, and its being down."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

BREAKER_LIMIT = 16
PATIENCE_S = 30.0
_BETWEEN_TRIES_S = 1.0
_LONGEST_SLEEP_S = 0.1  # a wait is looked at again this often, for what was reserved may come back


class Pacer:
    """Lets requests and tokens start evenly spaced, so that no minute has more than was given; None is no limit.

    Tokens are reserved before they are known and settled afterwards. A provider that asks for a pause gets it from
    all who would ask it. One pacer is for one event loop; those who wait are served in turn.
    """

    def __init__(self, per_minute: int | None = None, tokens_per_minute: int | None = None) -> None:
        self._per_request = 60.0 / per_minute if per_minute else 0.0
        self._per_token = 60.0 / tokens_per_minute if tokens_per_minute else 0.0
        self._next_request = self._next_token = 0.0
        self._paused: defaultdict[str, float] = defaultdict(float)
        self._turn = asyncio.Lock()

    async def wait(self, provider: str = "", tokens: float = 0.0) -> None:
        """Sleep until a request that may take `tokens` may go to `provider`."""
        while True:
            await _sleep_until(lambda: self._paused[provider])
            async with self._turn:
                await _sleep_until(lambda: max(self._next_request, self._next_token))
                now = time.monotonic()
                if self._paused[provider] > now:
                    continue
                self._next_request = max(now, self._next_request) + self._per_request
                self._next_token = max(now, self._next_token) + tokens * self._per_token
                return

    def settle(self, reserved: float, used: float) -> None:
        """Put the tokens that a request took in place of those that were reserved for it."""
        self._next_token += (used - reserved) * self._per_token

    def pause(self, provider: str, seconds: float) -> None:
        """Let nobody ask `provider` for so long."""
        self._paused[provider] = max(self._paused[provider], time.monotonic() + seconds)


async def _sleep_until(opens: Callable[[], float]) -> None:
    """Sleep until a moment of the monotonic clock that may move meanwhile."""
    while (left := opens() - time.monotonic()) > 0:
        await asyncio.sleep(min(left, _LONGEST_SLEEP_S))


class Breaker:
    """Opens after BREAKER_LIMIT questions in a row whose last attempt failed, none answered in between.

    For PATIENCE_S one question at a time is then still put, a second apart, and the others wait: a provider that
    comes back is asked on. After that nothing is asked any more, so that one that is down costs seconds and not
    hours. What only the one question meets (a 400, a 404) does not count; a refused key does.
    """

    def __init__(self, limit: int = BREAKER_LIMIT, patience_s: float = PATIENCE_S) -> None:
        self._limit, self._patience_s = limit, patience_s
        self._in_a_row = 0
        self._gives_up_at = 0.0
        self._trier: asyncio.Task[Any] | None = None  # the one that tries whether the provider is back

    async def admits(self) -> bool:
        """Whether an attempt may be made; waits where others are trying whether the provider is back."""
        while self._in_a_row >= self._limit:
            left = self._gives_up_at - time.monotonic()
            if left <= 0:
                return False
            if self._trier is None or self._trier.done():
                self._trier = _current_task()
                await asyncio.sleep(min(left, _BETWEEN_TRIES_S))
                return left > _BETWEEN_TRIES_S
            await asyncio.sleep(min(left, _LONGEST_SLEEP_S))
        return True

    def missed(self) -> None:
        """An attempt failed, and may be made again."""
        self._end_trial()

    def note(self, failed: bool) -> None:
        """Count a question that failed for good, or begin anew after an answer."""
        self._end_trial()
        self._in_a_row = self._in_a_row + 1 if failed else 0
        if self._in_a_row == self._limit:
            self._gives_up_at = time.monotonic() + self._patience_s

    def _end_trial(self) -> None:
        """Let the next one try, if this task was the one. Attempts that began before the breaker opened are not."""
        if self._trier is not None and self._trier is _current_task():
            self._trier = None


def _current_task() -> "asyncio.Task[Any] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop is running
        return None

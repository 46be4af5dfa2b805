"""Limits on the requests to a provider: its rate limits, the pauses that it requests, and a circuit breaker."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from flows.config import Embedding, Model

BREAKER_LIMIT = 16  # requests that failed in succession
PATIENCE_S = 30.0
TIMEOUT_S = 120.0  # of one request; a provider that sends no byte to any request for so long hangs
HANG_PATIENCE_S = 90.0  # with TIMEOUT_S before it less than four minutes
_BETWEEN_PROBES_S = 1.0
_LONGEST_SLEEP_S = 0.1  # waits are checked again this often, because reserved tokens may be returned meanwhile
_ALMOST = 0.9  # clocks of timers differ a little
_SHORTEST_S = 0.01
_GIVEN_UP_S = 12 * 3600.0  # longer than a night

_given_up_at: dict[str, float] = {}  # by the name of a breaker


class Pacer:
    """Spaces the starts of requests evenly, so that no minute exceeds its limits; None is no limit.

    Tokens are reserved by an estimate, which `record_usage` corrects. A pause holds back all requests to a provider.
    A pacer belongs to one event loop; waiting requests are served in order.
    """

    def __init__(self, per_minute: int | None = None, tokens_per_minute: int | None = None) -> None:
        self._per_request = 60.0 / per_minute if per_minute else 0.0
        self._per_token = 60.0 / tokens_per_minute if tokens_per_minute else 0.0
        self._next_request = self._next_token = 0.0
        self._paused_until: defaultdict[str, float] = defaultdict(float)
        self._turn = asyncio.Lock()

    async def wait(self, provider: str = "", tokens: float = 0.0) -> None:
        """Sleep until a request to `provider` may start; reserves `tokens` for it."""
        while True:
            await _sleep_until(lambda: self._paused_until[provider])
            async with self._turn:
                await _sleep_until(lambda: max(self._next_request, self._next_token))
                now = time.monotonic()
                if self._paused_until[provider] > now:
                    continue
                self._next_request = max(now, self._next_request) + self._per_request
                self._next_token = max(now, self._next_token) + tokens * self._per_token
                return

    def record_usage(self, reserved: float, used: float) -> None:
        """Replace the `reserved` tokens of a request by those that it `used`."""
        self._next_token += (used - reserved) * self._per_token

    def pause(self, provider: str, seconds: float) -> None:
        """Hold back all requests to `provider` for `seconds`. A running longer pause is not shortened."""
        self._paused_until[provider] = max(self._paused_until[provider], time.monotonic() + seconds)


async def _sleep_until(due: Callable[[], float]) -> None:
    """Sleep until the time `due()` of the monotonic clock, in seconds; it may change during the sleep."""
    while (left := due() - time.monotonic()) > 0:
        await asyncio.sleep(min(left, _LONGEST_SLEEP_S))


class Breaker:
    """A circuit breaker: opens after `limit` requests in succession that failed for good, with no success in between.

    While it is open, one attempt a second is let through as a probe and all others wait. A success closes it. If none
    comes within `patience_s` seconds, every later attempt is refused: a provider that is down costs seconds, not hours.
    Failures that concern one request only (such as a 400 or 404) are not to be recorded; a refused key is.

    It also opens, at once, when the provider hangs: an attempt reached its time limit, and no attempt has ended
    otherwise since it began. The attempts in flight are then ended, and `hang_patience_s` is the patience. A provider
    that hangs a second time is given up at once. `name` is that of the provider's model: all later breakers of that
    name in this process are open from the start; see `breaker_name`.
    """

    def __init__(
        self,
        limit: int = BREAKER_LIMIT,
        patience_s: float = PATIENCE_S,
        hang_patience_s: float = HANG_PATIENCE_S,
        name: str = "",
    ) -> None:
        self._limit, self._patience_s, self._hang_patience_s = limit, patience_s, hang_patience_s
        self._name = name
        is_given_up = time.monotonic() - _given_up_at.get(name, -_GIVEN_UP_S) < _GIVEN_UP_S
        self._failed_in_succession = limit if is_given_up else 0
        self._gives_up_at = 0.0
        self._prober: asyncio.Task[Any] | None = None
        self._last_reply_at = -1.0
        self._in_flight: set[asyncio.Timeout] = set()
        self._ended: set[asyncio.Timeout] = set()

    async def allows_attempt(self) -> bool:
        """Whether an attempt may start. While the breaker is open, waits for a turn to probe or for a success."""
        while self._is_open:
            left = self._gives_up_at - time.monotonic()
            if left <= 0:
                return False
            if self._prober is None or self._prober.done():
                self._prober = _current_task()
                await asyncio.sleep(min(left, _BETWEEN_PROBES_S))
                return left > _BETWEEN_PROBES_S
            await asyncio.sleep(min(left, _LONGEST_SLEEP_S))
        return True

    @asynccontextmanager
    async def attempt(self, timeout_s: float, *, is_whole: bool = False) -> AsyncIterator[None]:
        """The block is one attempt, whose own time limit is `timeout_s`. Raises TimeoutError if the provider hangs.

        That limit is of the pause between two bytes, or of the attempt as a whole if it `is_whole`.
        """
        started, is_probe, is_ended = time.monotonic(), self._is_open, False
        limit = asyncio.timeout(self.time_left(timeout_s) if is_probe or is_whole else None)
        try:
            async with limit:
                self._in_flight.add(limit)
                try:
                    yield
                finally:
                    self._in_flight.discard(limit)
                    is_ended = limit in self._ended
                    self._ended.discard(limit)
        except Exception as error:
            now = time.monotonic()
            if is_probe or is_ended:
                pass  # the hang is known
            elif not _is_timeout(error) or now - started < _ALMOST * timeout_s:
                self._last_reply_at = now
            elif self._last_reply_at <= started:
                self._record_hang()
            raise
        self._last_reply_at = time.monotonic()

    def time_left(self, timeout_s: float) -> float:
        """The time limit of the next attempt in seconds: `timeout_s`, or while the breaker is open what is left."""
        if not self._is_open:
            return timeout_s
        return max(_SHORTEST_S, min(timeout_s, self._gives_up_at - time.monotonic()))

    @property
    def _is_open(self) -> bool:
        return self._failed_in_succession >= self._limit

    def record_byte(self) -> None:
        """A part of a reply has come: the provider does not hang."""
        self._last_reply_at = time.monotonic()

    def _record_hang(self) -> None:
        if self._is_open:
            return
        self._failed_in_succession = self._limit
        self._gives_up_at = time.monotonic() + self._hang_patience_s
        self._hang_patience_s = 0.0
        now = asyncio.get_running_loop().time()
        for attempt in self._in_flight:
            attempt.reschedule(now)
            self._ended.add(attempt)
        if self._name:
            _given_up_at[self._name] = time.monotonic()

    def record_success(self) -> None:
        """A request was answered: closes the breaker."""
        if self._is_open:
            _given_up_at.pop(self._name, None)
        self._end_probe()
        self._failed_in_succession = 0

    def record_failed_attempt(self) -> None:
        """An attempt failed: the next one may probe. Not counted, because the request may be retried."""
        self._end_probe()

    def record_failed_request(self) -> None:
        """A request failed for good, by a failure of the provider: counted."""
        self._end_probe()
        self._failed_in_succession += 1
        if self._failed_in_succession == self._limit:
            self._gives_up_at = time.monotonic() + self._patience_s

    def _end_probe(self) -> None:
        """End the probe of this task. Attempts from before the breaker opened do not end one."""
        if self._prober is not None and self._prober is _current_task():
            self._prober = None


def breaker_name(model: Model | Embedding) -> str:
    """The name for the breakers of a model: the model at its address."""
    return f"{model.model} at {model.api_base}"


def _is_timeout(error: BaseException) -> bool:
    """Whether no reply came in time: Python's error, or that of litellm, openai, httpx or another client."""
    return "timeout" in type(error).__name__.lower()


def _current_task() -> "asyncio.Task[Any] | None":
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop is running
        return None

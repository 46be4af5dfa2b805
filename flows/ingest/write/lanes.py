"""Threads that write beside the one that reads: what has one key is done by one of them, in the order in which it came.

Arrow's writer and DuckDB work without Python's lock, so as many files are encoded at once as there are lanes.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

# Tasks of a lane that may wait, so that what they hold in memory is bounded.
_WAITING = 2


class Lanes:
    """So many threads, each of which does its tasks one after the other."""

    def __init__(self, count: int) -> None:
        self._pools = [ThreadPoolExecutor(1, thread_name_prefix="write") for _ in range(max(1, count))]
        self._under_way: list[deque[Future[None]]] = [deque() for _ in self._pools]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)

    def submit(self, key: int, task: Callable[..., None], *given: Any) -> None:
        """Have a task done after the earlier ones of this key. Waits while too many wait; raises what one raised."""
        number = key % len(self._pools)
        under_way = self._under_way[number]
        while len(under_way) > _WAITING:
            under_way.popleft().result()
        under_way.append(self._pools[number].submit(task, *given))

    def finish(self) -> None:
        """Wait until all tasks are done. Raises what one of them raised."""
        for under_way in self._under_way:
            while under_way:
                under_way.popleft().result()

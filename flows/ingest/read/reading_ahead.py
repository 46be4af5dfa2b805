"""Reading in a thread of its own, one item before it is needed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items; while one is used, the next one is made in another thread. Raises what making it raises."""
    with ThreadPoolExecutor(1, thread_name_prefix="read") as pool:
        coming = pool.submit(_next, items)
        while found := coming.result():
            coming = pool.submit(_next, items)
            yield found[0]


def _next(items: Iterator[Item]) -> tuple[Item, ...]:
    """The next item, or nothing at their end."""
    for item in items:
        return (item,)
    return ()

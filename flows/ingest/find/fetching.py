"""Small objects of a store, fetched several at once: one after the other, a gateway's one object a call takes hours."""

import io
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from flows.ingest.read import LogFile

_AT_ONCE = 16
_SMALL = 1 << 20


def fetched(files: Iterable[LogFile]) -> Iterator[LogFile]:
    """The same files in the same order; of those that are small and remote the content is there when they are opened.

    Raises RunError where the store cannot be asked.
    """
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fetch") as pool:
        coming: deque[tuple[LogFile, Future[bytes] | None]] = deque()
        for file in files:
            is_small = file.is_remote and file.expected_bytes <= _SMALL
            coming.append((file, pool.submit(_content, file) if is_small else None))
            if len(coming) > 2 * _AT_ONCE:
                yield _ready(*coming.popleft())
        while coming:
            yield _ready(*coming.popleft())


def _content(file: LogFile) -> bytes:
    if file.open is None:
        return b""
    with file.open() as stored:
        return stored.read()


def _ready(file: LogFile, content: Future[bytes] | None) -> LogFile:
    if content is None:
        return file
    again = file.open
    waiting = [content.result()]
    # The content is given away once: a run's files are many, and all are kept to be accounted for.
    file.open = lambda: io.BytesIO(waiting.pop()) if waiting or again is None else again()
    return file

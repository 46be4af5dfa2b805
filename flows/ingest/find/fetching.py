"""Fetches small objects of a store in parallel: with one object per call, fetching them one by one takes hours."""

import io
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from flows.errors import UnreadableError
from flows.ingest.read import LogFile

_AT_ONCE = 16
_SMALL = 1 << 20


def fetched(files: Iterable[LogFile]) -> Iterator[LogFile]:
    """The same files in the same order; the content of small remote ones is already fetched when they are opened.

    An object that cannot be read gets a problem. Raises RunError if the store cannot be reached.
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
    try:
        waiting = [content.result()]
    except UnreadableError as error:
        file.problem = error.why
        return file
    # The content is released after the first use: a run has many files, and all file objects are kept for the manifest.
    file.open = lambda: io.BytesIO(waiting.pop()) if waiting or again is None else again()
    return file

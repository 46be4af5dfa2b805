"""Mappers that are planned once and used by one run after another of this process.

To plan a format's SELECT takes 0.1 to 0.7 s of CPU, as long as to map ten thousand records: a backfill, a doctor that
tries every format, and whoever reads a sample before a night need not do it again.
"""

import atexit
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock

from flows.config import format_file
from flows.ingest.map.mapper import Mapper

_MOST = 8  # idle mappers of a process, each with a DuckDB of its own
_OLD_S = 3600.0  # a mapper takes times for wrong that are long after it was planned

_Key = tuple[Path, bytes, bytes]
_idle: list[tuple[_Key, float, Mapper]] = []
_guard = Lock()


class MapperOf:
    """A mapper for one thread, of an earlier run or new; `give_back` it, or close it where it has failed.

    Raises ConfigError as `Mapper` does.
    """

    def __init__(self, log_format: str, user_key_secret: bytes = b"", workspace: Path | None = None) -> None:
        place, text = format_file(log_format, workspace), b""
        with suppress(OSError):  # the mapper tells it
            text = place.read_bytes()
        self._key = (place, text, user_key_secret)
        known = _taken(self._key)
        self._since, self.mapper = known or (time.monotonic(), Mapper(log_format, user_key_secret, workspace))

    def give_back(self) -> None:
        """Keep the mapper for a later run; the one that has been idle longest is closed where there are many."""
        with _guard:
            _idle.append((self._key, self._since, self.mapper))
            surplus = [mapper for _, _, mapper in _idle[:-_MOST]]
            del _idle[:-_MOST]
        for mapper in surplus:
            mapper.close()


def _taken(key: _Key) -> tuple[float, Mapper] | None:
    with _guard:
        for number, (of, since, mapper) in enumerate(_idle):
            if of == key and time.monotonic() - since < _OLD_S:
                del _idle[number]
                return since, mapper
    return None


@atexit.register
def _close_all() -> None:
    while _idle:
        _idle.pop()[2].close()

"""Time limits for the patterns and functions of criteria, so that one that never ends does not hold up a night."""

from threading import Lock

import regex

from flows.functions import TimeLimitError

PATTERN_S = 1.0
MOST_TIMEOUTS = 3

error = regex.error


class Timeouts:
    """Counts the timeouts of one criterion in a run. After MOST_TIMEOUTS it is not applied to further answers."""

    def __init__(self) -> None:
        self._count, self._lock = 0, Lock()

    def __reduce__(self) -> tuple[type["Timeouts"], tuple[()]]:
        """What another process gets counts for itself."""
        return Timeouts, ()

    def check(self) -> None:
        """Raises TimeLimitError if the criterion has reached its most timeouts."""
        if self._count >= MOST_TIMEOUTS:
            raise TimeLimitError(f"not applied any more: {MOST_TIMEOUTS} answers of this run reached the time limit")

    def note(self) -> None:
        """Count one timeout."""
        with self._lock:
            self._count += 1


def compile_pattern(pattern: str) -> "regex.Pattern[str]":
    """A compiled pattern, in the syntax of Python's `re`, with `\\p{...}` besides. Raises `error`."""
    return regex.compile(pattern)


def search(pattern: str, text: str, limit_s: float = PATTERN_S) -> "regex.Match[str] | None":
    """The first match of a pattern in a text. Raises TimeLimitError after `limit_s` seconds."""
    try:
        return compile_pattern(pattern).search(text, timeout=limit_s)
    except TimeoutError:
        raise TimeLimitError(f"the pattern {pattern} took longer than {limit_s:g} s") from None

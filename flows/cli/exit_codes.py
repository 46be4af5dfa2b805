"""What every verb ends with: lines on stdout, and an exit code."""

import sys

from flows import progress
from flows.outgoing import plain

FINE, CRITICAL, FAILED = 0, 1, 3


def tell(line: str) -> None:
    """Print one line of a verb's result on stdout."""
    progress.clear()
    sys.stdout.write(plain(line, keep="\n") + "\n")
    sys.stdout.flush()

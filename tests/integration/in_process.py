"""The command in this process, where that it is a process of its own is not what is tested: it is imported once."""

import io
import logging
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from flows.cli import main


@dataclass(frozen=True)
class Done:
    """What a command came to, as of a process that has ended."""

    returncode: int
    stdout: str
    stderr: str


def genchi(*arguments: str) -> Done:
    """Run a verb on the Prefect server of the session's fixture, and keep what it printed."""
    logger = logging.getLogger("genchi")
    before = logger.handlers[:], logger.propagate
    logger.handlers = []
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as error:
        try:
            code = main(list(arguments))
        finally:
            logger.handlers, logger.propagate = before
    return Done(code, out.getvalue(), error.getvalue())

"""The kinds of failure, by the exit code of the command line.

What a person can fix in a file or a command is a `ConfigError` (exit code 2); all else that stops a step
is a `RunError` (exit code 3). Both are shown as one line, so a message says what, where and how to fix it.
"""

from flows.outgoing import plain


class GenchiError(Exception):
    """An error whose message is meant for a person and is complete in one line. It is plain: see `outgoing`."""

    def __init__(self, message: object = "") -> None:
        super().__init__(plain(str(message), keep="\n\t"))


class ConfigError(GenchiError):
    """The command, the configuration or a file that it names is wrong."""


class RunError(GenchiError):
    """The run itself failed."""


class TransientError(RunError):
    """The run failed for a reason that may pass by itself, such as a store that does not answer: it is tried again."""


class LockedError(RunError):
    """Another process holds a lock of the lake, and did not end in time. `verb` is its command."""

    def __init__(self, message: str, verb: str) -> None:
        super().__init__(message)
        self.verb = verb


class UnreadableError(RunError):
    """One file, folder or object cannot be read: it vanished, or it may not be read. Others can be.

    `why` is the message without the name.
    """

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.why = why


def in_one_line(error: BaseException) -> str:
    """What an exception says, on one line: our own messages as they are, others with their type before them."""
    while isinstance(error, BaseExceptionGroup) and error.exceptions:
        error = error.exceptions[0]
    text = plain(" ".join(str(error).split()))
    return text if isinstance(error, GenchiError) and text else f"{type(error).__name__}: {text}".rstrip(": ")

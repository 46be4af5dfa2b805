"""The one place where text leaves genchi: for a terminal, a log, a page or a message.

Texts of logs, models, files and the configuration are hostile. `plain` shows what could steer a terminal or turn
words around as an escape such as `\\x1b`, and puts `***` for the secrets of the configuration (`hide`). A page, a log
record and an error apply it for all that they show.
"""

import atexit
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any
from urllib.parse import quote, unquote

# C0, C1, soft hyphen, marks of direction, zero width, separators of lines, half pairs, tags.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
# Endpoints on one's own machine take any key, such as `ollama` or `unused`: a word is no secret, and would be hidden in
# every sentence that has it.
_SHORTEST_SECRET = 6
_WORD = re.compile(r"[a-z]{1,11}|[A-Z]{1,11}")
_LOGGERS = ("genchi", "flows", "expectations", "prefect")

_secrets: set[str] = set()


def plain(text: str, keep: str = "") -> str:
    """`text` without secrets, and with what a terminal or a browser would obey as escapes, except those in `keep`."""
    return _UNSAFE.sub(lambda found: found[0] if found[0] in keep else _escape(found[0]), masked(text))


def masked(text: str) -> str:
    """`text` with `***` for each secret that is known to `hide`."""
    for secret in sorted(_secrets, key=len, reverse=True):
        if secret in text:
            text = text.replace(secret, "***")
    return text


def hide(*secrets: str | None) -> None:
    """From now on, show none of these secrets, nor their spelling in a URL. Short ones and words are shown."""
    for secret in secrets:
        for spelled in {secret, quote(secret, safe=""), unquote(secret)} if secret else ():
            if len(spelled) >= _SHORTEST_SECRET and not _WORD.fullmatch(spelled):
                _secrets.add(spelled)


def credentials_in(url: str) -> list[str]:
    """The passwords and keys in an address: before its last `@`, whatever is in them, and in its query."""
    found = re.findall(r"[?&;](?:[\w-]*(?:key|token|secret|password|sig))=([^&#;]+)", url, re.IGNORECASE)
    match = re.match(r"[a-z][a-z0-9+.-]*://(.*)@", url, re.IGNORECASE | re.DOTALL)
    if match:
        name, _, password = match[1].partition(":")
        found += [password, *re.split(r"[@:/]", password)] if password else [name]
    return found


def without_credentials(url: str) -> str:
    """An address as it may be shown: without user and password, without its query."""
    return re.sub(r"(?is)^([a-z][a-z0-9+.-]*://).*@", r"\1", url).partition("?")[0]


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class PlainStream:
    """A stream that shows what is written to it as text. What genchi itself draws goes to `drawing_on`."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write `text` as it may be shown."""
        self.stream.write(plain(text, keep="\n\t"))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def drawing_on(stream: IO[str] | PlainStream) -> IO[str]:
    """The stream itself, for genchi's own colours and bars around texts that are plain."""
    return stream.stream if isinstance(stream, PlainStream) else stream


@contextmanager
def plain_streams() -> Iterator[None]:
    """Whatever is printed in the block, by genchi and by the libraries, reaches the terminal as text."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = PlainStream(sys.stdout), PlainStream(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def end_clean() -> None:
    """Send what is written to stderr after Python's own exit hooks nowhere.

    Call it before the libraries are imported: hooks run in reverse order, and this one has to be the last. DuckDB's
    binding lists what dbt keeps of it as leaked once the interpreter is gone, in some forty lines.
    """
    atexit.register(_close_stderr)


def _close_stderr() -> None:
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)


class _Record(logging.LogRecord):
    """A log record whose message and traceback are plain."""

    def getMessage(self) -> str:  # noqa: N802 - logging's own name
        return plain(super().getMessage(), keep="\n\t")

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, plain(value, keep="\n\t") if name == "exc_text" and value else value)


def _record(name: str, *arguments: Any, **more: Any) -> logging.LogRecord:
    is_ours = name.partition(".")[0] in _LOGGERS
    return (_Record if is_ours else logging.LogRecord)(name, *arguments, **more)


logging.setLogRecordFactory(_record)

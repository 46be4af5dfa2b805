"""Half characters (lone surrogates), which programs that cut a text write, and which no encoding can hold."""

import re

_LONE = re.compile("[\ud800-\udfff]")
# One escape of a JSON text at a time, so that a backslash that is itself escaped begins none.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


def without_surrogates(text: str) -> str:
    """A text with U+FFFD for every half character."""
    return text if text.isascii() else _LONE.sub("�", text)


def with_whole_characters(raw: str) -> str:
    """A JSON text with U+FFFD for every escape that stands for half a character; all else as it is written."""
    return _ESCAPE.sub(lambda found: r"\ufffd" if found[1] else found[0], raw)

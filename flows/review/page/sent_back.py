"""What a form sends back of a text that the page showed: the stored text again, not the escapes that stood for it."""

from collections.abc import Iterable

from flows.outgoing import plain


def as_shown(text: str) -> str:
    """A text as a template writes it."""
    return plain(text, keep="\n\t")


def as_stored(given: str, stored: str) -> str:
    """`stored` where it was sent back as it was shown; else what was typed, with the signs that escapes stood for.

    `given` has the line ends of a form. An escape that the stored text itself has in letters stays as it is.
    """
    text = given.replace("\r\n", "\n")
    if text == as_shown(stored):
        return stored
    for sign in sorted(set(stored)):
        shown = as_shown(sign)
        if shown != sign and shown not in stored:
            text = text.replace(shown, sign)
    return text


def meant(given: str, known: Iterable[str]) -> str:
    """The first of the known texts that the page shows as what was sent; else what was sent."""
    names = list(dict.fromkeys(known))
    return given if given in names else next((name for name in names if as_shown(name) == given), given)

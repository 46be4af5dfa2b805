"""Texts of users, models and logs as they may be printed on a terminal."""


def plain(text: str) -> str:
    """On one line, with a question mark for each control character and each mark that changes the writing direction."""
    return "".join(one if one.isprintable() else "?" for one in " ".join(text.split()))

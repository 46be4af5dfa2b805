"""What a text has that another one has not, by words. Pure; the texts are only ever cut, never changed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

# Shares of the words of the shorter and of the longer text that must be in both: else everything would be marked.
OF_SHORTER, OF_LONGER = 0.5, 0.3

# A word, white space, or one sign; each letter of a script that writes without spaces is a word of its own.
_TOKEN = re.compile(r"[^\W\u2e80-\U0010ffff]+|\s+|.", re.DOTALL)


@dataclass(frozen=True)
class Piece:
    """A part of a text; `is_new` where the other text does not have it."""

    text: str
    is_new: bool = False


def pieces(text: str, before: str | None) -> tuple[Piece, ...]:
    """`text` in its pieces, which joined are the text again; all of one where the two have too little in common."""
    if not text:
        return ()
    now, old = _TOKEN.findall(text), _TOKEN.findall(before or "")
    matcher = SequenceMatcher(None, old, now, autojunk=False)
    blocks = matcher.get_matching_blocks()
    kept = {place for block in blocks for place in range(block.b, block.b + block.size)}
    shared = sum(_is_word(now[place]) for place in kept)
    shorter, longer = sorted((sum(map(_is_word, now)), sum(map(_is_word, old))))
    if not shorter or shared < OF_SHORTER * shorter or shared < OF_LONGER * longer:
        return (Piece(text),)
    return tuple(_joined(now, kept))


def _joined(tokens: list[str], kept: set[int]) -> Iterator[Piece]:
    """Neighbours of one kind together; white space is new only between two new words."""
    new = [place not in kept and not token.isspace() for place, token in enumerate(tokens)]
    for place in range(1, len(tokens) - 1):
        new[place] |= tokens[place].isspace() and new[place - 1] and new[place + 1]
    for is_new, group in groupby(range(len(tokens)), key=lambda place: new[place]):
        yield Piece("".join(tokens[place] for place in group), is_new)


def _is_word(token: str) -> bool:
    return token[0].isalnum()

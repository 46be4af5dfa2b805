"""Texts that are contained in others: a leak, where the other is what development works with.

A text is contained in a source where the source has at least a share of its character 4-grams, and has them close
together: in a stretch of at most `_STRETCH` times the text's length. Without the second condition a long source, such
as a system prompt of some pages, contains most short texts of its language. A text with fewer than `SHORTEST` grams is
contained where all of it stands in the source, between two ends of words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from flows.stats.character_grams import WIDTH, Array, GramSets, fold, gram_sets, grams, shared

SHARE = 0.8
SHORTEST = 12
_STRETCH = 1.5
_BLOCK = 256  # texts that are compared with all sources at a time
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Contained:
    """Where a text was found: the place of the source, and the share of the text's grams that it has (0 to 1).

    `is_whole`: the folded text itself is in the source.
    """

    place: int
    share: float
    is_whole: bool


def contained(
    texts: Sequence[str], sources: Sequence[str], least: float = SHARE, *, short: bool = True
) -> list[Contained | None]:
    """For each text the source that has most of it (of equals the first), if it is at least a share of `least`.

    Without `short`, a text with fewer than `SHORTEST` grams is found only where a source equals it.
    """
    mine, theirs = [fold(text) for text in texts], [fold(text) for text in sources]
    best = _equal(mine, theirs)
    for row, found in _all(mine, theirs, least, short=short):
        known = best[row]
        if known is None or found.share > known.share:
            best[row] = found
    return _with_shortest(best, mine, theirs) if short else best


def containing(texts: Sequence[str], sources: Sequence[str], least: float = SHARE) -> list[Contained | None]:
    """For each text the source that is contained in it: the same the other way round, `place` being the source's.

    Sources with fewer than `SHORTEST` grams do not count.
    """
    best: list[Contained | None] = [None] * len(texts)
    mine, theirs = [fold(text) for text in texts], [fold(text) for text in sources]
    for source, found in _all(theirs, mine, least, short=False):
        known = best[found.place]
        if known is None or found.share > known.share:
            best[found.place] = Contained(source, found.share, found.is_whole)
    return best


def _all(mine: Sequence[str], theirs: Sequence[str], least: float, *, short: bool) -> Iterator[tuple[int, Contained]]:
    """Each text with each source that it is contained in, in the order of both within a block of texts."""
    sets, others = gram_sets(mine, theirs)
    for left, right, share in _pairs(sets, others, least):
        for k in np.lexsort((right, -share, left)):
            row, source = int(left[k]), int(right[k])
            is_short, is_whole = sets.sizes[row] < SHORTEST, _is_whole(mine[row], theirs[source])
            if (is_whole and short) if is_short else _is_together(mine[row], theirs[source], least):
                yield row, Contained(source, float(share[k]), is_whole)


def _equal(mine: Sequence[str], theirs: Sequence[str]) -> list[Contained | None]:
    first: dict[str, int] = {}
    for place, text in enumerate(theirs):
        first.setdefault(text, place)
    return [Contained(first[text], 1.0, True) if text and text in first else None for text in mine]


def _with_shortest(
    best: Sequence[Contained | None], mine: Sequence[str], theirs: Sequence[str]
) -> list[Contained | None]:
    """Adds the texts that are shorter than a gram, of which there are few different ones."""
    asked = {text for text, known in zip(mine, best, strict=True) if known is None and 0 < len(text) < WIDTH}
    first = {text: next((n for n, source in enumerate(theirs) if _is_whole(text, source)), None) for text in asked}
    found = [(known, first.get(text)) for text, known in zip(mine, best, strict=True)]
    return [known if place is None else Contained(place, 1.0, True) for known, place in found]


def _is_whole(text: str, source: str) -> bool:
    """Whether the text stands in the source, and neither its first nor its last word goes on there."""
    at = source.find(text)
    while at >= 0:
        before, after = source[at - 1 : at] if at else "", source[at + len(text) : at + len(text) + 1]
        if not (before.isalnum() and text[0].isalnum()) and not (after.isalnum() and text[-1].isalnum()):
            return True
        at = source.find(text, at + 1)
    return False


def _pairs(sets: GramSets, others: GramSets, least: float) -> Iterator[tuple[Array, Array, Array]]:
    """Texts, sources and shares of all pairs of at least `least`, a block of texts at a time.

    A source that has a share t of a set has one of its rarest |x| - ceil(t |x|) + 1 grams. Of a set with fewer than
    `SHORTEST` grams it must have all.
    """
    sizes = sets.sizes
    needed = np.where(sizes < SHORTEST, sizes, np.ceil(least * sizes - _ROUNDING)).astype(np.int64)
    mine, columns = sets.rarest(np.where(sizes > 0, sizes - needed + 1, 0)), others.rows.T.tocsr()
    for start in range(0, mine.shape[0], _BLOCK):
        product = (mine[start : start + _BLOCK] @ columns).tocoo()
        left, right = product.row + start, product.col
        share = shared(sets, others, left, right) / np.maximum(1, sets.sizes[left])
        enough = share >= least - _ROUNDING
        yield left[enough], right[enough], share[enough]


def _is_together(text: str, source: str, least: float) -> bool:
    """Whether a stretch of the source that is little longer than the text has a share of `least` of its grams."""
    wanted = grams(text)
    hits = np.isin(grams(source), wanted)
    length = int(np.ceil(_STRETCH * len(wanted)))
    sums = np.concatenate([[0], np.cumsum(hits)])
    most = (sums[length:] - sums[:-length]).max() if len(hits) > length else sums[-1]
    return bool(most >= least * len(np.unique(wanted)) - _ROUNDING)

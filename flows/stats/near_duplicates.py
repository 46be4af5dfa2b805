"""Texts that are nearly the same: the Jaccard similarity of their character 4-grams is at least a limit.

Up to `exact_up_to` texts the search is exact. Two sets with a Jaccard similarity of t or more have one of the rarest
|x| - ceil(t |x|) + 1 grams of each in common (prefix filtering: Bayardo, Ma and Srikant 2007, "Scaling up all pairs
similarity search"; Xiao et al. 2008, "Efficient similarity joins for near duplicate detection"). A sparse product of
these grams gives the candidates. Of more texts, candidates come from MinHash with 32 bands of 4 values (Broder 1997;
Leskovec et al., "Mining of massive datasets", chapter 3): of pairs at .6 it finds 98.8 %, at .7 99.98 %. Every
candidate is measured exactly, so that either way no pair below the limit is reported.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from flows.stats.character_grams import Array, GramSets, fold, gram_sets, shared

JACCARD = 0.6
EXACT_UP_TO = 20_000
_BANDS, _VALUES = 32, 4
_BLOCK = 256  # texts that are compared with all others at a time
_ROUND = 2048  # texts, at most, after which those that are kept are prepared for the next ones
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Near:
    """The text that another is nearly the same as: its place, and the similarity (0 to 1)."""

    place: int
    similarity: float


def nearest(
    texts: Sequence[str], others: Sequence[str], least: float = JACCARD, exact_up_to: int = EXACT_UP_TO
) -> list[Near | None]:
    """For each text the most similar of `others` (of equals the first), if its similarity is at least `least`."""
    folded, theirs = [fold(text) for text in texts], [fold(text) for text in others]
    best = _equal(folded, theirs)
    mine, other = gram_sets(["" if known else text for text, known in zip(folded, best, strict=True)], theirs)
    pairs = (
        _exact_pairs(mine, other, least)
        if len(texts) + len(others) <= exact_up_to
        else _hashed_pairs(mine, other, least)
    )
    for left, right, similarity in pairs:
        for place in np.lexsort((right, -similarity, left)):
            row, known = int(left[place]), best[left[place]]
            if known is None or similarity[place] > known.similarity:
                best[row] = Near(int(right[place]), float(similarity[place]))
    return best


def _equal(folded: Sequence[str], others: Sequence[str]) -> list[Near | None]:
    first: dict[str, int] = {}
    for place, text in enumerate(others):
        first.setdefault(text, place)
    return [Near(first[text], 1.0) if text and text in first else None for text in folded]


def repeats(texts: Sequence[str], least: float = JACCARD, exact_up_to: int = EXACT_UP_TO) -> list[Near | None]:
    """For each text the earlier one that it nearly repeats; None for those to keep.

    A text is compared with those that are kept, in the order given, so that a long series of small changes is cut into
    parts rather than followed to its end.
    """
    (sets,) = gram_sets([fold(text) for text in texts])
    find = _kept_exactly if len(texts) <= exact_up_to else _kept_by_hash
    return find(sets, least)


def _kept_exactly(sets: GramSets, least: float) -> list[Near | None]:
    found: list[Near | None] = [None] * len(sets.sizes)
    kept, start = np.empty(0, np.int64), 0
    while start < len(found):
        # Many texts are prepared at a time only where many differ: of texts that are all alike, one is enough.
        end = min(len(found), start + min(max(_BLOCK, len(kept)), _ROUND))
        places = np.arange(start, end)
        for left, right, similarity in _exact_pairs(sets.take(places), sets.take(kept), least):
            for k in np.lexsort((right, -similarity)):
                found[places[left[k]]] = found[places[left[k]]] or Near(int(kept[right[k]]), float(similarity[k]))
        places = np.array([place for place in places.tolist() if found[place] is None], np.int64)
        block = sets.take(places)
        for left, right, similarity in _exact_pairs(block, block, least):
            earlier = np.flatnonzero(right < left)
            for k in earlier[np.lexsort((right[earlier], left[earlier]))]:
                row, other = int(places[left[k]]), int(places[right[k]])
                if found[row] is None and found[other] is None:
                    found[row] = Near(other, float(similarity[k]))
        kept = np.concatenate([kept, [place for place in places.tolist() if found[place] is None]]).astype(np.int64)
        start = end
    return found


def _kept_by_hash(sets: GramSets, least: float) -> list[Near | None]:
    found: list[Near | None] = [None] * len(sets.sizes)
    index = _index()
    for place, digest in enumerate(_digests(sets)):
        if digest is None:
            continue
        candidates = np.array(sorted(index.query(digest)), np.int64)
        right = similarity = candidates
        if len(candidates):
            _, right, similarity = _measured(sets, sets, np.full(len(candidates), place), candidates, least)
        if len(right):
            best = int(np.argmax(similarity))
            found[place] = Near(int(right[best]), float(similarity[best]))
        else:
            index.insert(place, digest, check_duplication=False)
    return found


def _exact_pairs(sets: GramSets, others: GramSets, least: float) -> Iterator[tuple[Array, Array, Array]]:
    """Rows, other rows and similarities of all pairs of at least `least`, a block of rows at a time."""
    mine, theirs = (one.rarest(_prefix(one.sizes, least)) for one in (sets, others))
    columns = theirs.T.tocsr()
    for start in range(0, mine.shape[0], _BLOCK):
        product = (mine[start : start + _BLOCK] @ columns).tocoo()
        yield _measured(sets, others, product.row + start, product.col, least)


def _hashed_pairs(sets: GramSets, others: GramSets, least: float) -> Iterator[tuple[Array, Array, Array]]:
    """The same for pairs that share a band of their MinHashes."""
    index = _index()
    for place, digest in enumerate(_digests(others)):
        if digest is not None:
            index.insert(place, digest, check_duplication=False)
    for place, digest in enumerate(_digests(sets)):
        if digest is not None:
            candidates = np.array(sorted(index.query(digest)), np.int64)
            yield _measured(sets, others, np.full(len(candidates), place), candidates, least)


def _measured(sets: GramSets, others: GramSets, left: Array, right: Array, least: float) -> tuple[Array, Array, Array]:
    """Those of the candidates that are similar enough, with their exact similarity."""
    mine, theirs = sets.sizes[left], others.sizes[right]
    alike = np.minimum(mine, theirs) >= least * np.maximum(mine, theirs) - _ROUNDING
    left, right = left[alike], right[alike]
    common = shared(sets, others, left, right)
    similarity = common / np.maximum(1, sets.sizes[left] + others.sizes[right] - common)
    enough = similarity >= least - _ROUNDING
    return left[enough], right[enough], similarity[enough]


def _prefix(sizes: Array, least: float) -> Array:
    """How many of the rarest grams of a set must be looked at, so that no set with a share of `least` is missed."""
    count: Array = sizes - np.ceil(least * sizes - _ROUNDING).astype(np.int64) + 1
    return np.minimum(sizes, count)


def _index() -> Any:
    from datasketch import MinHashLSH  # noqa: PLC0415 - needed for many texts only

    return MinHashLSH(num_perm=_BANDS * _VALUES, params=(_BANDS, _VALUES))


def _digests(sets: GramSets) -> Iterator[Any]:
    """The MinHash of each set; None of an empty one."""
    from datasketch import MinHash  # noqa: PLC0415 - needed for many texts only

    first = MinHash(num_perm=_BANDS * _VALUES, hashfunc=int)
    indptr, indices = sets.rows.indptr, sets.rows.indices
    for start, end in pairwise(indptr):
        digest = first.copy()
        digest.update_batch(indices[start:end].tolist())
        yield digest if end > start else None

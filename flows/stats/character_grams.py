"""Texts as sets of character 4-grams, on which near-duplicates and leaks are found.

A text is folded first: compatibility forms (NFKC), case, white space and invisible characters do not count, and every
run of digits is one mark, because texts that differ in numbers only are the same question. A folded text with fewer
than four characters has itself as its only gram. A gram is its 64-bit hash: of a million different grams, two share one
with a probability of 3e-8.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

WIDTH = 4
_DIGITS = re.compile(r"\d+")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_MULTIPLIER, _MIXER = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)

Array = np.ndarray[Any, np.dtype[Any]]


def fold(text: str) -> str:
    """The text as it is compared. Linear in its length."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).casefold()
    return " ".join(_DIGITS.sub("0", plain).split())


def grams(folded: str) -> Array:
    """The hashes of a folded text's grams in their order (uint64); empty if the text is."""
    codes = np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    if not len(codes):
        return codes
    codes = np.pad(codes, (0, max(0, WIDTH - len(codes))))
    count = len(codes) - WIDTH + 1
    found = codes[:count].copy()
    for place in range(1, WIDTH):
        found = found * _MULTIPLIER + codes[place : place + count]
    found ^= found >> np.uint64(32)
    return found * _MIXER


@dataclass(frozen=True)
class GramSets:
    """The sets of n texts as rows of a sparse matrix (n, grams) of ones, the rarest grams in the first columns."""

    rows: Any

    @property
    def sizes(self) -> Array:
        """How many different grams each text has (n)."""
        sizes: Array = np.diff(self.rows.indptr)
        return sizes

    def take(self, places: Array) -> "GramSets":
        """The sets of some of the texts."""
        return GramSets(self.rows[places])

    def rarest(self, counts: Array) -> Any:
        """The matrix with the `counts` (n) rarest grams of each text only."""
        within = np.arange(self.rows.nnz) - np.repeat(self.rows.indptr[:-1], self.sizes)
        kept = within < np.repeat(counts, self.sizes)
        indptr = np.concatenate([[0], np.cumsum(np.minimum(counts, self.sizes))])
        return sparse.csr_matrix((self.rows.data[kept], self.rows.indices[kept], indptr), shape=self.rows.shape)


def gram_sets(*folded: Sequence[str]) -> tuple[GramSets, ...]:
    """The sets of several lists of folded texts, over one order of grams."""
    sets = [np.unique(grams(text)) for texts in folded for text in texts]
    sizes = np.array([len(one) for one in sets], dtype=np.int64)
    every, places, counts = np.unique(
        np.concatenate([*sets, np.empty(0, np.uint64)]), return_inverse=True, return_counts=True
    )
    del sets
    order = np.argsort(counts, kind="stable")
    column = np.empty(len(order), np.int64)
    column[order] = np.arange(len(order))
    indptr = np.concatenate([[0], np.cumsum(sizes)])
    whole = sparse.csr_matrix(
        (np.ones(len(places), np.int32), column[places], indptr), shape=(len(sizes), max(1, len(every)))
    )
    whole.sort_indices()
    ends = np.concatenate([[0], np.cumsum([len(texts) for texts in folded])])
    return tuple(GramSets(whole[start:end]) for start, end in pairwise(ends))


def shared(sets: GramSets, others: GramSets, left: Array, right: Array) -> Array:
    """How many grams each pair has in common: row left[k] of `sets` with row right[k] of `others`.

    Memory holds the grams of a part of the pairs.
    """
    found = np.zeros(len(left), np.int64)
    sizes = np.cumsum(sets.sizes[left] + others.sizes[right])
    start = 0
    while start < len(left):
        limit = (sizes[start - 1] if start else 0) + _AT_ONCE
        end = max(start + 1, int(np.searchsorted(sizes, limit, side="right")))
        common = sets.rows[left[start:end]].multiply(others.rows[right[start:end]])
        found[start:end] = np.asarray(common.sum(axis=1)).ravel()
        start = end
    return found


_AT_ONCE = 4_000_000

"""Answers as numbers: the distance of two answers, and style features that do not depend on the prompt."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

# Characters of a text that are used; the rest is ignored.
_LONGEST = 20_000
_WORDS = re.compile(r"\w+")
_COMMON_WORDS, _OPENINGS = 48, 16
_FEWEST = 0.02  # share of the answers that a word must occur in to be a feature
_BUCKETS, _PRIMES = np.uint64(1021), np.array([73856093, 19349663, 83492791], dtype=np.uint64)
_SIGNS = (
    "\n",
    "```",
    "**",
    "- ",
    "#",
    "|",
    ",",
    ".",
    ":",
    ";",
    "!",
    "?",
    "(",
    '"',
    "'",
    "\N{RIGHT SINGLE QUOTATION MARK}",
    "\N{EM DASH}",
    "\\",
)


def distances(texts: Sequence[str]) -> Array:
    """Pairwise distances of the texts, (n, n) from 0 to 1; 0 for equal texts.

    The mean of four: whether they differ, the Jaccard distance of their words, the cosine distance of their character
    trigrams, and the relative difference in length.
    """
    texts = [text[:_LONGEST] for text in texts]
    words = [set(_WORDS.findall(text.lower())) for text in texts]
    profiles = np.array([_trigrams(text) for text in texts])
    unlike = 1 - np.clip(profiles @ profiles.T, 0, 1)
    lengths = 1 + np.array([len(text) for text in texts])
    longer = 1 - np.minimum.outer(lengths, lengths) / np.maximum.outer(lengths, lengths)
    found = np.zeros((len(texts), len(texts)))
    for i, j in combinations(range(len(texts)), 2):
        if texts[i] != texts[j]:
            unshared = 1 - len(words[i] & words[j]) / max(len(words[i] | words[j]), 1)
            found[i, j] = found[j, i] = (1 + unshared + unlike[i, j] + longer[i, j]) / 4
    return found


def habits(texts: Sequence[str]) -> Array:
    """Style features of each text, (n, k): lengths, form, punctuation, and which common words and openings it has.

    Common words and openings are determined from all texts together.
    """
    texts = [text[:_LONGEST] for text in texts]
    tokens = [_WORDS.findall(text.lower()) for text in texts]
    openings = [" ".join(words[:1]) for words in tokens]
    common = _common(Counter(word for words in tokens for word in set(words)), len(texts), _COMMON_WORDS)
    starts = _common(Counter(openings), len(texts), _OPENINGS)
    rows = [
        [
            *_form(text, words),
            *(word in seen for word in common),
            *(opening == start for start in starts),
        ]
        for text, words, opening, seen in zip(texts, tokens, openings, map(set, tokens), strict=True)
    ]
    return np.array(rows, dtype=float)


def _form(text: str, words: Sequence[str]) -> list[float]:
    length = max(len(text), 1)
    return [
        float(np.log1p(len(text))),
        float(np.log1p(len(words))),
        sum(map(len, words)) / max(len(words), 1),
        len(set(words)) / max(len(words), 1),
        sum(map(str.isdigit, text)) / length,
        sum(map(str.isupper, text)) / length,
        float(not text.isascii()),
        float(not text.strip()),
        float(_is_json(text)),
        float(text.rstrip().endswith((".", "!", "?"))),
        *(float(np.log1p(text.count(sign))) for sign in _SIGNS),
    ]


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _common(found: Counter[str], n: int, most: int) -> list[str]:
    """The words that occur in the most texts, except those in nearly all."""
    kept = [word for word, count in found.items() if _FEWEST * n <= count <= (1 - _FEWEST) * n]
    return sorted(kept, key=lambda word: (-found[word], word))[:most]


def _trigrams(text: str) -> Array:
    """How often each trigram of characters occurs, by its hash, as a vector of length 1."""
    codes = np.frombuffer(f"{text}   ".encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    hashes = (codes[:-2] * _PRIMES[0] + codes[1:-1] * _PRIMES[1] + codes[2:] * _PRIMES[2]) % _BUCKETS
    counts = np.bincount(hashes.astype(np.int64), minlength=int(_BUCKETS)).astype(float)
    profile: Array = counts / np.linalg.norm(counts)
    return profile

"""An embedding model of one's own: counts of words by their hash. A real one loads its weights at the first call."""

import hashlib


def embed(texts, dimensions=64):
    """A list of texts (at most 256) to as many vectors of one length; lists of floats, or an array."""
    return [_vector(text.split(), dimensions) for text in texts]


def _vector(words, dimensions):
    counts = [0.001] * dimensions
    for word in words:
        counts[int.from_bytes(hashlib.md5(word.encode(), usedforsecurity=False).digest()[:4]) % dimensions] += 1.0
    return counts

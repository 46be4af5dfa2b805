"""Whether the packaged embedding model can tell a route's texts apart.

wordllama's word vectors come from models of English. Of a text in another script it knows pieces of characters, which
most texts of the script share: their vectors are nearly the same one, and topics of them mean little.
"""

from collections.abc import Callable, Mapping

import numpy as np

from flows.semantics.embedding import WORDLLAMA

MULTILINGUAL = "a multilingual one, such as potion-multilingual-128M from a folder (model2vec/<folder>)"
# Vectors of English papers of one field have a mean cosine of 0.4; Chinese and Korean ones of 0.8 to 0.9.
_ALIKE = 0.6
_MOSTLY = 0.5
# Latin letters, with those of Vietnamese.
_LATIN_END, _LATIN_ADDITIONAL = 0x250, range(0x1E00, 0x1F00)


def complaint(model: str, side: str, vectors: np.ndarray, texts: Callable[[], Mapping[str, str]]) -> str | None:
    """One line if the model cannot tell texts with these unit vectors (n, d) apart; else None.

    `texts` reads them, by call_id; it is only called where the vectors are alike. Equal texts count once.
    """
    if not model.startswith(WORDLLAMA):
        return None
    distinct = np.unique(vectors, axis=0)
    n, total = len(distinct), distinct.sum(axis=0, dtype=np.float64)
    alike = (float(total @ total) - n) / (n * (n - 1)) if n > 1 else 0.0
    if alike < _ALIKE or foreign_share("".join(texts().values())) <= _MOSTLY:
        return None
    return (
        f"{WORDLLAMA} cannot tell the {side}s apart: most letters are not Latin, and the mean cosine of two texts is"
        f" {alike:.2f}. Topics and tests of {side}s mean little; set embedding.model to {MULTILINGUAL}"
    )


def foreign_share(text: str) -> float:
    """The share of letters that are not Latin; 0 without a letter."""
    letters = [ord(character) for character in text if character.isalpha()]
    foreign = sum(code >= _LATIN_END and code not in _LATIN_ADDITIONAL for code in letters)
    return foreign / max(len(letters), 1)

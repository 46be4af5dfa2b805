"""Worked examples to show before a question: the labelled examples of the dev set that are nearest to it.

Nearest is by the cosine of TF-IDF (words, sublinear counts) of the last user message; of equally near ones the first
by id. An example with the question's own text is left out, for its answer would give the question away. The nearest
comes last, beside the question (Liu et al. 2022, "What makes good in-context examples for GPT-3?", arXiv:2101.06804).
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from flows.evaluate.examples import Example
from flows.evaluate.setup.tfidf_classifier import WORD


class FewShotExamples:
    """The labelled examples from which `count` are shown. Made ready when the first question is put."""

    def __init__(self, labelled: Sequence[Example], count: int) -> None:
        self.labelled = labelled
        self.count = count
        self._chosen: dict[str, list[int]] = {}

    def nearest(self, text: str) -> list[Example]:
        """The `count` nearest to a text, the nearest last. The same text gives the same ones."""
        if text not in self._chosen:
            self._chosen[text] = self._find(text)
        return [self.labelled[place] for place in self._chosen[text]]

    def _find(self, text: str) -> list[int]:
        vectorizer, vectors, texts = self._index
        near = (vectors @ vectorizer.transform([text]).T).toarray().ravel()
        near[texts == _normalised(text)] = -1.0
        order = np.lexsort((np.arange(len(near)), -near))
        return [int(place) for place in order[: self.count][::-1] if near[place] >= 0]

    @cached_property
    def _index(self) -> tuple[Any, Any, np.ndarray]:
        from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - imported late: takes a second

        texts = [example.question for example in self.labelled]
        vectorizer = TfidfVectorizer(sublinear_tf=True, token_pattern=WORD)
        return (
            vectorizer,
            vectorizer.fit_transform(texts),
            np.array([_normalised(text) for text in texts], dtype=object),
        )


def _normalised(text: str) -> str:
    """What two texts have in common that differ in space and case alone."""
    return " ".join(text.casefold().split())

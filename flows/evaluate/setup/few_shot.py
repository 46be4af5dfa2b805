"""Few-shot examples: the labelled examples of the dev set that are nearest to the input.

Nearest is by the cosine of TF-IDF vectors (words, sublinear counts) of the last user message; ties go to the first id.
An example with the same text as the input is left out, because it would reveal the answer. The nearest example comes
last, next to the input (Liu et al. 2022, "What makes good in-context examples for GPT-3?", arXiv:2101.06804).
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from flows.evaluate.examples import Example
from flows.evaluate.setup.tfidf_classifier import WORD


class FewShotExamples:
    """Labelled examples of which the nearest `count` are sent with a request. The index is built at first use."""

    def __init__(self, labelled: Sequence[Example], count: int) -> None:
        self.labelled = labelled
        self.count = count
        self._chosen: dict[str, list[int]] = {}

    def nearest(self, text: str) -> list[Example]:
        """The `count` examples nearest to a text, the nearest last. Deterministic."""
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
    """The text without differences in whitespace and case."""
    return " ".join(text.casefold().split())

"""A baseline classifier that is evaluated like any model: TF-IDF and logistic regression on labelled examples.

An LLM must beat it to be worth its price on a classification route. It is cross-fitted in five folds, grouped by text:
a holdout example is predicted by a model that was not trained on its text. Any other text is predicted by a model
trained on all examples. Examples of the dev set with a class of the holdout are in every training set, except those
with a held-out text.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from flows.evaluate.criteria import hash_of

FOLDS = 5
MOST_LABELS = 50
WORD = r"(?u)\b\w+\b"


@dataclass(frozen=True)
class Labelled:
    """Texts, each with its label."""

    texts: Sequence[str]
    labels: Sequence[str]


@dataclass(frozen=True)
class TfidfClassifier:
    """The classifier of one route, trained at first use on `holdout` and `dev`."""

    holdout: Labelled
    dev: Labelled

    @cached_property
    def version(self) -> str:
        """A hash of the training data."""
        return hash_of(*(list(part) for one in (self.holdout, self.dev) for part in (one.texts, one.labels)))

    @property
    def problem(self) -> str | None:
        """Why the classifier cannot be trained; None if it can."""
        labels = len(set(self.holdout.labels))
        if labels > MOST_LABELS:
            return f"{labels} different values of `expected`; a baseline supports at most {MOST_LABELS} classes"
        if labels < 2 or len(set(self.holdout.texts)) < FOLDS:
            return f"needs at least {FOLDS} examples with `expected`, of two classes"
        return None

    def prepare(self) -> None:
        """Train, unless done before. Takes a few seconds for a thousand examples of many classes."""
        len(self._models)

    def answer(self, text: str) -> str:
        """The predicted label of a text, by the model that was not trained on it."""
        return str(self._models[self._fold_of.get(text, FOLDS)].predict([text])[0])

    @cached_property
    def _folds(self) -> list[np.ndarray]:
        """The indices in the holdout that each fold leaves out. Deterministic."""
        from sklearn.model_selection import StratifiedGroupKFold  # noqa: PLC0415 - imported late: takes a second

        texts, labels = list(self.holdout.texts), list(self.holdout.labels)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)  # rare classes are expected
            splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
            return [held_out for _, held_out in splitter.split(texts, labels, groups=texts)]

    @cached_property
    def _fold_of(self) -> dict[str, int]:
        return {self.holdout.texts[place]: fold for fold, places in enumerate(self._folds) for place in places}

    @cached_property
    def _models(self) -> list[Any]:
        """One model per fold, trained without it, and last one trained on everything."""
        with threadpool_limits(1):
            return [self._fitted(set(places.tolist())) for places in self._folds] + [self._fitted(set())]

    def _fitted(self, left_out: set[int]) -> Any:
        classes = set(self.holdout.labels)
        unseen = {self.holdout.texts[place] for place in left_out}
        pairs = [
            *(pair for place, pair in enumerate(_pairs(self.holdout)) if place not in left_out),
            *(pair for pair in _pairs(self.dev) if pair[0] not in unseen and pair[1] in classes),
        ]
        return text_pipeline(len({label for _, label in pairs})).fit(*zip(*pairs, strict=True))


def text_pipeline(classes: int) -> Any:
    """An unfitted scikit-learn pipeline from texts to labels. With a single class it always predicts that class."""
    from sklearn.dummy import DummyClassifier  # noqa: PLC0415 - imported late: takes a second
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - as above
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - as above
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415 - as above

    learner = LogisticRegression(C=10, max_iter=1000) if classes > 1 else DummyClassifier()
    return make_pipeline(TfidfVectorizer(sublinear_tf=True, token_pattern=WORD), learner)


def _pairs(one: Labelled) -> list[tuple[str, str]]:
    return list(zip(one.texts, one.labels, strict=True))

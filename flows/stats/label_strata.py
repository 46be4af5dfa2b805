"""The labels of a window of days by stratum of their draw, as sums that can be pooled.

A stratum is named `<kind>:<verdict>`, where the verdict of the judge is fail, pass or unjudged, and `plain` is the kind
of most calls.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from flows.stats.binomial_limits import effective

Array = np.ndarray[Any, np.dtype[Any]]
FAIL, PASS, UNJUDGED = "fail", "pass", "unjudged"
VERDICTS = (FAIL, PASS, UNJUDGED)
LEAST_IN_STRATUM = 60
_PLAIN = "plain"


@dataclass(frozen=True, order=True)
class Label:
    """A judged answer of a stratum: whether it failed, and with which probability it was drawn."""

    stratum: str
    probability: float
    is_failed: bool


@dataclass(frozen=True)
class Strata:
    """Sums over the labels of each stratum, arrays (..., strata), of weights that are 1 / inclusion probability.

    `sizes` counts calls and `labels` labels; `weights` and `squares` are sums of the weights and of their squares, and
    `failed` is the sum of the weights of failures. `verdicts` is the verdict of each stratum.
    """

    verdicts: tuple[str, ...]
    sizes: Array
    labels: Array
    weights: Array
    squares: Array
    failed: Array

    @classmethod
    def of(cls, sizes: Mapping[str, int], labels: Iterable[Label]) -> Self:
        """One sample: the number of calls in each stratum by its name, and the labels. Small strata are not pooled.

        Labels of a stratum without a size count in the plain one of their verdict. The plain stratum of each verdict
        comes before its others. The order of the labels changes nothing, not even the last bit of a sum: an engine
        may give the rows of a table in any order.
        """
        present = {verdict_of(name) for name in sizes}
        names = sorted({*sizes, *(f"{_PLAIN}:{verdict}" for verdict in present)}, key=_in_order)
        place = {name: number for number, name in enumerate(names)}
        sums = np.zeros((5, len(names)))
        sums[0] = [sizes.get(name, 0) for name in names]
        for label in sorted(labels):
            number = place.get(label.stratum, place.get(f"{_PLAIN}:{verdict_of(label.stratum)}"))
            if number is not None:
                weight = 1 / label.probability
                sums[1:, number] += (1, weight, weight**2, weight * label.is_failed)
        return cls(tuple(verdict_of(name) for name in names), *sums)

    @property
    def n(self) -> Array:
        """Kish's effective numbers of labels."""
        return effective(self.weights, self.squares)

    @property
    def failures(self) -> Array:
        """Effective numbers of labelled failures: Hajek's rate times `n`."""
        found: Array = self.n * self.failed / np.where(self.weights > 0, self.weights, 1.0)
        return np.minimum(found, self.n)

    def where(self, verdict: str) -> Array:
        """Which strata have the verdict, (strata,)."""
        return np.array([one == verdict for one in self.verdicts], dtype=bool)

    def pooled(self, least: int = LEAST_IN_STRATUM) -> Self:
        """The same with strata of fewer than `least` labels in one stratum with the plain one of their verdict.

        Where that one has fewer, the verdict is one stratum. Rates of pooled calls remain Hajek's estimates, for every
        call had a known probability; only the gain of knowing their number is lost.
        """
        sums = np.stack([self.sizes, self.labels, self.weights, self.squares, self.failed])
        for verdict in VERDICTS:
            places = np.flatnonzero(self.where(verdict))
            if not len(places):
                continue
            part = sums[..., places]
            moves = (self.labels[..., places] < least) | (self.labels[..., places[:1]] < least)
            moves[..., 0] = False
            part[..., 0] += np.where(moves, part, 0.0).sum(-1)
            sums[..., places] = np.where(moves, 0.0, part)
        return type(self)(self.verdicts, *sums)

    def kept(self) -> Self:
        """One sample, (strata,), without strata of neither calls nor labels."""
        holds = (self.sizes > 0) | (self.labels > 0)
        verdicts = tuple(one for one, held in zip(self.verdicts, holds, strict=True) if held)
        sums = (self.sizes, self.labels, self.weights, self.squares, self.failed)
        return type(self)(verdicts, *(one[holds] for one in sums))


def verdict_of(stratum: str) -> str:
    """The judge's verdict that a stratum's name ends in; unjudged where it has none."""
    verdict = stratum.rpartition(":")[2]
    return verdict if verdict in VERDICTS else UNJUDGED


def _in_order(name: str) -> tuple[int, bool, str]:
    return VERDICTS.index(verdict_of(name)), not name.startswith(f"{_PLAIN}:"), name

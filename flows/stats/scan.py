"""Scan a day's texts for a neighbourhood that is denser than on other days: a new topic.

After the scan statistic of Kulldorff (1997, Communications in Statistics 26:1481), with the neighbourhoods of a
graph of nearest neighbours instead of circles. The null distribution comes from permuting whole authors between days.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from flows.stats import extremes

# The neighbourhood sizes that are scanned.
SIZES = (2, 3, 4, 5, 6, 8, 11, 15, 20, 28, 40)
DEEPEST = SIZES[-1]
DRAWS = 400
# After so many draws no more are made if the p-value is above this: it is then far from any decision.
FIRST_DRAWS, CLEARLY_LARGE = 100, 0.2

# (DEEPEST, sizes): which of the nearest are within each size.
_WITHIN = (np.arange(DEEPEST)[:, None] < np.array(SIZES)).astype(np.float32)
# Where each size begins in the flat `_ratio_table`.
_ROWS = np.arange(len(SIZES)) * (DEEPEST + 1)


@dataclass(frozen=True)
class Hotspot:
    """The densest neighbourhood: its statistic (nats), the index of its central text, its size, and p."""

    statistic: float
    middle: int
    size: int
    p_value: float


NOWHERE = Hotspot(0.0, -1, 0, 1.0)


def find(neighbours: np.ndarray, days: np.ndarray, authors: np.ndarray, current: int, seed: int) -> Hotspot:
    """The densest neighbourhood of the day `current` among `neighbours` (n, k; from `of_others`), with its p-value.

    `days` (n,) and `authors` (n,) are whole numbers, the latter different on each day. The p-value is of the largest
    statistic over all texts of the day: Gumbel's law, fitted to DRAWS permutations of authors, widened by the
    excess variation of the past days, each compared with all others. Permutations end early where p is clearly large,
    as in the sequential tests of Besag and Clifford (1991, Biometrika 78:301).
    """
    graph, is_current = Graph.of(neighbours), days == current
    ratios = graph.ratios(is_current)
    if not ratios.size or ratios.max() <= 0:
        return NOWHERE
    statistics = ratios.mean(axis=1)
    row = int(statistics.argmax())
    highest = float(statistics[row])
    past = [graph.maximum(days == day) for day in np.unique(days) if day != current]
    maxima: list[float] = []
    p_value = 1.0
    for maximum in permuted(graph, authors, int(is_current.sum()), seed):
        maxima.append(maximum)
        if len(maxima) in (FIRST_DRAWS, DRAWS):
            p_value = extremes.widened(extremes.fitted(maxima), past).tail(highest)
            if p_value > CLEARLY_LARGE:
                break
    return Hotspot(highest, int(np.flatnonzero(is_current)[row]), SIZES[int(ratios[row].argmax())], p_value)


@dataclass(frozen=True)
class Graph:
    """Lists of nearest neighbours (n, DEEPEST) as `ratios` reads them: where one is missing, n."""

    near: np.ndarray

    @classmethod
    def of(cls, neighbours: np.ndarray) -> "Graph":
        """From lists that are padded with -1."""
        return cls(np.where(neighbours < 0, len(neighbours), neighbours))

    def maximum(self, is_current: np.ndarray) -> float:
        """The largest statistic of the current texts; 0 without any."""
        return float(self.ratios(is_current).mean(axis=1).max(initial=0.0))

    def ratios(self, is_current: np.ndarray) -> np.ndarray:
        """The log-likelihood ratios of each current text's neighbourhoods: (texts, sizes), 0 where not denser.

        The day's share of the k nearest neighbours is compared with its share of all texts (binomial). The text itself
        does not count. A text's statistic is the mean over the sizes. It has more power than the maximum, because a new
        topic is dense at all scales up to its own, and chance only at one.
        """
        rows = np.flatnonzero(is_current)
        overall = len(rows) / len(is_current)
        if not 0 < overall < 1 or self.near.shape[1] < DEEPEST:
            return np.zeros((len(rows), len(SIZES)))
        # A product of matrices of small whole numbers, which is exact.
        counts = np.append(is_current, False).astype(np.float32)[self.near[rows]] @ _WITHIN
        ratios: np.ndarray = _ratio_table(overall).take(counts.astype(np.intp) + _ROWS)
        return ratios


def permuted(graph: Graph, authors: np.ndarray, size: int, seed: int) -> Iterator[float]:
    """The largest statistic of each of DRAWS random days: authors drawn without replacement up to `size` texts."""
    rng = np.random.default_rng(seed)
    _, places = np.unique(authors, return_inverse=True)
    sizes = np.bincount(places)
    for _ in range(DRAWS):
        order = rng.permutation(len(sizes))
        count = int(np.searchsorted(np.cumsum(sizes[order[:size]]), size)) + 1
        is_drawn = np.zeros(len(sizes), bool)
        is_drawn[order[:count]] = True
        yield graph.maximum(is_drawn[places])


@lru_cache(maxsize=64)
def _ratio_table(overall: float) -> np.ndarray:
    """The log-likelihood ratio of each count of current texts for each size: (sizes, DEEPEST + 1)."""
    counts = np.arange(DEEPEST + 1)
    totals = np.array(SIZES)[:, None]
    return log_ratios(np.minimum(counts, totals), totals, overall)


def log_ratios(counts: np.ndarray, totals: np.ndarray, overall: float) -> np.ndarray:
    """The log-likelihood ratio of `counts` out of `totals` against the share `overall`, 0 where they are no more."""
    share = counts / totals
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(counts > 0, counts * np.log(share / overall), 0.0)
        outside = np.where(share < 1, (totals - counts) * np.log((1 - share) / (1 - overall)), 0.0)
    return np.where(share > overall, inside + outside, 0.0)

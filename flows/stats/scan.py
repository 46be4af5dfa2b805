"""Scan a day's texts for a neighbourhood that is denser than on other days: a new topic.

After the scan statistic of Kulldorff (1997, Communications in Statistics 26:1481), with the neighbourhoods of a
graph of nearest neighbours instead of circles. The null distribution comes from permuting whole authors between days.
"""

from dataclasses import dataclass

import numpy as np

from flows.stats import extremes

# The neighbourhood sizes that are scanned.
SIZES = (2, 3, 4, 5, 6, 8, 11, 15, 20, 28, 40)
DEEPEST = SIZES[-1]
DRAWS = 400


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
    statistic over all texts of the day: Gumbel's law, fitted to DRAWS permutations of authors, widened by what the
    excess variation of the past days, each compared with all others.
    """
    is_current = days == current
    ratios = _ratios(neighbours, is_current)
    if not ratios.size or ratios.max() <= 0:
        return NOWHERE
    row = int(ratios.mean(axis=1).argmax())
    highest = float(ratios[row].mean())
    null = extremes.fitted(permuted(neighbours, authors, int(is_current.sum()), seed))
    past = [_maximum(neighbours, days == day) for day in np.unique(days) if day != current]
    size = SIZES[int(ratios[row].argmax())]
    return Hotspot(highest, int(np.flatnonzero(is_current)[row]), size, extremes.widened(null, past).tail(highest))


def permuted(neighbours: np.ndarray, authors: np.ndarray, size: int, seed: int) -> list[float]:
    """The largest statistic of each of DRAWS random days: authors drawn without replacement up to `size` texts."""
    rng = np.random.default_rng(seed)
    _, places = np.unique(authors, return_inverse=True)
    sizes = np.bincount(places)
    found = []
    for _ in range(DRAWS):
        order = rng.permutation(len(sizes))
        count = int(np.searchsorted(np.cumsum(sizes[order]), size)) + 1
        is_drawn = np.zeros(len(sizes), bool)
        is_drawn[order[:count]] = True
        found.append(_maximum(neighbours, is_drawn[places]))
    return found


def _maximum(neighbours: np.ndarray, is_current: np.ndarray) -> float:
    return float(_ratios(neighbours, is_current).mean(axis=1).max(initial=0.0))


def _ratios(neighbours: np.ndarray, is_current: np.ndarray) -> np.ndarray:
    """The log-likelihood ratios of each current text's neighbourhoods: (current texts, sizes), 0 where not denser.

    The day's share of the k nearest neighbours is compared with its share of all texts (binomial). The text itself does
    not count. A text's statistic is the mean over the sizes. It has more power than the maximum, because a new topic is
    dense at all scales up to its own, and chance only at one.
    """
    near = neighbours[is_current]
    overall = float(is_current.mean())
    if not 0 < overall < 1 or near.shape[1] < DEEPEST:
        return np.zeros((len(near), len(SIZES)))
    totals = np.array(SIZES)
    return log_ratios(np.cumsum(is_current[near] & (near >= 0), axis=1)[:, totals - 1], totals, overall)


def log_ratios(counts: np.ndarray, totals: np.ndarray, overall: float) -> np.ndarray:
    """The log-likelihood ratio of `counts` out of `totals` against the share `overall`, 0 where they are no more."""
    share = counts / totals
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(counts > 0, counts * np.log(share / overall), 0.0)
        outside = np.where(share < 1, (totals - counts) * np.log((1 - share) / (1 - overall)), 0.0)
    return np.where(share > overall, inside + outside, 0.0)

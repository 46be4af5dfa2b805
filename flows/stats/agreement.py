"""How two raters who pass or fail the same answers agree, with intervals."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.stats.stratified_rate import Estimate

Array = np.ndarray[Any, np.dtype[Any]]

_PRIOR = 0.5
_DRAWS = 8000
_SEED = 20140113


@dataclass(frozen=True)
class Agreement:
    """Raw agreement (0 to 1), Gwet's AC1 and Cohen's kappa (-1 to 1), for tables of shape (...)."""

    agreement: Estimate
    ac1: Estimate
    kappa: Estimate


def agreement_of(tables: Array, confidence: float = 0.95) -> Agreement:
    """The agreement in `tables`, (..., 2, 2): effective numbers of answers by the verdicts of either rater.

    The intervals are the middle of the posterior with a Dirichlet prior of 1/2 a cell, by draws of a fixed seed, so
    that a table always has the same; they include the value, and are NaN with it. The delta method's interval of kappa
    is far too short where failures are rare. Kappa (Cohen 1960, Educational and Psychological Measurement 20:37) is NaN
    where both raters give every answer the same verdict; AC1 (Gwet 2008, British J. of Mathematical and Statistical
    Psychology 61:29) is not, and does not fall where failures are rare.
    """
    cells = tables.reshape(-1, 4).astype(float)
    values = _measures(cells / cells.sum(-1, keepdims=True))
    tail = (1 - confidence) / 2
    ends = np.array([np.quantile(_posterior(one), [tail, 1 - tail], axis=-1) for one in cells]).reshape(-1, 2, 3)
    shape = tables.shape[:-2]

    def estimate(number: int) -> Estimate:
        value, low, high = values[number], ends[:, 0, number], ends[:, 1, number]
        low, high = np.minimum(low, value), np.maximum(high, value)
        return Estimate(value.reshape(shape), low.reshape(shape), high.reshape(shape))

    return Agreement(estimate(0), estimate(1), estimate(2))


def _posterior(cells: Array) -> Array:
    """Draws of the three measures, (3, draws), for one table's four cells."""
    drawn = np.random.default_rng(_SEED).standard_gamma(cells + _PRIOR, (_DRAWS, 4))
    return _measures(drawn / drawn.sum(-1, keepdims=True))


def _measures(shares: Array) -> Array:
    """Agreement, AC1 and kappa, (3, n), of tables with the shares (n, 4)."""
    agreement = shares[:, 0] + shares[:, 3]
    first, second = shares[:, 0] + shares[:, 1], shares[:, 0] + shares[:, 2]
    middle = (first + second) / 2
    by_chance = 2 * middle * (1 - middle)
    of_margins = first * second + (1 - first) * (1 - second)
    left = 1 - of_margins
    kappa = (agreement - of_margins) / np.where(left > 1e-12, left, np.nan)
    return np.stack([agreement, (agreement - by_chance) / (1 - by_chance), kappa])

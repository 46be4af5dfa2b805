"""Tail probabilities of maxima, far beyond what permutations can resolve."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, expm1, pi, sqrt

import numpy as np

_EULER = 0.5772156649015329
_UNIT_DEVIATION = pi / sqrt(6)
# The weight, in days, of the prior that days vary as the permutations do.
_PRIOR_DAYS = 10


@dataclass(frozen=True)
class Gumbel:
    """The Gumbel distribution of maxima (Gumbel 1958, Statistics of Extremes), by location and scale."""

    location: float
    scale: float

    def reduced(self, value: float) -> float:
        """The standardised value: (value - location) / scale."""
        return (value - self.location) / self.scale

    def tail(self, value: float) -> float:
        """The probability of a maximum of at least `value`."""
        return -expm1(-exp(min(-self.reduced(value), 700.0)))


def fitted(maxima: Sequence[float]) -> Gumbel:
    """A fit by moments to at least two maxima. The scale is at least 1e-6."""
    values = np.asarray(maxima, dtype=float)
    scale = max(float(values.std(ddof=1)) / _UNIT_DEVIATION, 1e-6)
    return Gumbel(float(values.mean()) - _EULER * scale, scale)


def widened(null: Gumbel, past: Sequence[float]) -> Gumbel:
    """`null`, widened by the excess variation of real days.

    `null` is fitted to permuted labels, under which days are exchangeable. `past` are the maxima of real days without a
    known incident. If these are larger or vary more than `null` (weekdays, drift of the level), location and scale
    increase; they never decrease. The estimate is shrunk towards `null` with a weight of ten days.
    """
    if len(past) < 2:
        return null
    values = np.array([null.reduced(value) for value in past])
    weight = len(values) / (len(values) + _PRIOR_DAYS)
    ratio = (1 - weight) + weight * float(values.var(ddof=1)) / _UNIT_DEVIATION**2
    scale = null.scale * max(1.0, sqrt(ratio))
    shift = max(0.0, weight * (float(values.mean()) - _EULER)) * null.scale
    return Gumbel(null.location + shift, scale)

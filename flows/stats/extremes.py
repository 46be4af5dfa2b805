"""How unlikely the largest of many numbers is, far beyond what can be drawn."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, expm1, pi, sqrt

import numpy as np

_EULER = 0.5772156649015329
_UNIT_DEVIATION = pi / sqrt(6)
# So many days' worth of belief that the days vary as the permutations do, before any day was seen.
_PRIOR_DAYS = 10


@dataclass(frozen=True)
class Gumbel:
    """The law of maxima (Gumbel 1958, Statistics of Extremes), by its location and scale."""

    location: float
    scale: float

    def reduced(self, value: float) -> float:
        """The value in scales from the location."""
        return (value - self.location) / self.scale

    def tail(self, value: float) -> float:
        """The probability of a maximum of at least `value`."""
        return -expm1(-exp(min(-self.reduced(value), 700.0)))


def fitted(maxima: Sequence[float]) -> Gumbel:
    """By moments, from at least two maxima. Where they do not vary the scale is a sliver, not 0."""
    values = np.asarray(maxima, dtype=float)
    scale = max(float(values.std(ddof=1)) / _UNIT_DEVIATION, 1e-6)
    return Gumbel(float(values.mean()) - _EULER * scale, scale)


def widened(null: Gumbel, past: Sequence[float]) -> Gumbel:
    """`null` with what real days vary beyond it.

    `null` is of permuted labels, under which days are exchangeable; `past` are the maxima of real days without a known
    incident. In scales of `null` they should have Gumbel's own mean and deviation; where they lie higher or vary more
    (weekdays, wander) the law moves with them, and never inwards. The few days are shrunk towards the permutations as
    if ten days had been seen to vary as those do.
    """
    if len(past) < 2:
        return null
    values = np.array([null.reduced(value) for value in past])
    weight = len(values) / (len(values) + _PRIOR_DAYS)
    ratio = (1 - weight) + weight * float(values.var(ddof=1)) / _UNIT_DEVIATION**2
    scale = null.scale * max(1.0, sqrt(ratio))
    shift = max(0.0, weight * (float(values.mean()) - _EULER)) * null.scale
    return Gumbel(null.location + shift, scale)

"""The difference between two models on the same examples, with repeats nested in examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

import numpy as np
from scipy.special import stdtr, stdtrit


@dataclass(frozen=True)
class Comparison:
    """candidate - pinned, in pass rate (-1 to 1). What the evidence cannot give is None.

    `minimum_detectable` is the true difference that this many examples would have found four times in five.
    An example is regressed where pinned passes most repeats and the candidate does not; repaired is the reverse.
    """

    n_examples: int
    delta: float | None
    low: float | None
    high: float | None
    p_value: float | None
    minimum_detectable: float | None
    n_regressed: int
    n_repaired: int


NOTHING = Comparison(0, None, None, None, None, None, 0, 0)


def compare(
    pinned: Mapping[str, Sequence[float]],
    candidate: Mapping[str, Sequence[float]],
    confidence: float = 0.95,
    power: float = 0.8,
) -> Comparison:
    """Compare two models' scores (0 to 1) by example; an example counts where both have an answered repeat.

    The repeats of an example are averaged first, so that an example is one pair however often it was asked.
    `delta` is the raw mean of the differences. Interval and p-value follow Agresti and Min (2005, Statistics in
    Medicine 24:729): half an observation is added to each cell of the paired table, which here is two pseudo
    examples (weight 1/2 at +1, 1/2 at -1, 1 at 0), generalised to fractional differences, with quantiles of
    Student's t. The p-value (two-sided) is of the same statistic: p <= 0.05 where the 95 % interval leaves 0 out.
    """
    pairs = [(pinned[key], candidate[key]) for key in sorted(set(pinned) & set(candidate))]
    means = np.array([(fmean(old), fmean(new)) for old, new in pairs if len(old) and len(new)]).reshape(-1, 2)
    n = len(means)
    if n == 0:
        return NOTHING
    differences = means[:, 1] - means[:, 0]
    passes = means > 0.5
    regressed = int((passes[:, 0] & ~passes[:, 1]).sum())
    repaired = int((~passes[:, 0] & passes[:, 1]).sum())
    delta = float(differences.mean())
    if n == 1:
        return Comparison(1, delta, None, None, None, None, regressed, repaired)
    centre, error = _adjusted(differences)
    quantile = float(stdtrit(n - 1, 0.5 + confidence / 2))
    return Comparison(
        n_examples=n,
        delta=delta,
        low=max(-1.0, centre - quantile * error),
        high=min(1.0, centre + quantile * error),
        p_value=2 * float(stdtr(n - 1, -abs(centre) / error)),
        minimum_detectable=min(1.0, (quantile + float(stdtrit(n - 1, power))) * error),
        n_regressed=regressed,
        n_repaired=repaired,
    )


def _adjusted(differences: np.ndarray) -> tuple[float, float]:
    """The mean and its standard error once two pseudo examples are added; the error is never 0."""
    weight = len(differences) + 2
    centre = float(differences.sum()) / weight
    variance = (float((differences**2).sum()) + 1) / weight - centre**2
    return centre, sqrt(variance / weight)

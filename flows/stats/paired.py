"""The difference between two models on the same examples, with repeats nested in examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from scipy.special import ndtri

from flows.stats.score_interval import interval

_Pair = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class Comparison:
    """candidate - pinned, in pass rate (-1 to 1). Values without enough data are None.

    `error` is the standard error of `delta`, and `repeat_share` the share of its square that is due to repeats (0 to 1;
    None if no example has two). `minimum_detectable` is the MDE: the true difference that would be found with a power
    of 80 %. An example is regressed where pinned passes most repeats and the
    candidate does not (of scores that are `relative`: where the candidate's mean is the lower one); repaired is the
    reverse.
    """

    n_examples: int
    delta: float | None
    low: float | None
    high: float | None
    p_value: float | None
    error: float | None
    repeat_share: float | None
    minimum_detectable: float | None
    n_regressed: int
    n_repaired: int


NOTHING = Comparison(0, None, None, None, None, None, None, None, 0, 0)


def compare(
    pinned: Mapping[str, Sequence[float]],
    candidate: Mapping[str, Sequence[float]],
    confidence: float = 0.95,
    power: float = 0.8,
    *,
    relative: bool = False,
) -> Comparison:
    """Compare two models' scores (0 to 1) by example; examples without an answer on either side are ignored.

    The repeats of an example are averaged first, so that an example is one pair however often it was asked. `delta`
    is the raw mean of the differences; interval and p-value (two-sided) are those of flows.stats.score_interval, and
    agree: p <= 0.05 if the 95 % interval excludes 0. `relative` scores compare a candidate with the pinned model, which
    has 0.5 by definition.
    """
    pairs = [(pinned[key], candidate[key]) for key in sorted(set(pinned) & set(candidate))]
    pairs = [(old, new) for old, new in pairs if len(old) and len(new)]
    n = len(pairs)
    if n == 0:
        return NOTHING
    means = np.array([(fmean(old), fmean(new)) for old, new in pairs])
    differences = means[:, 1] - means[:, 0]
    old, new = (means if relative else means > 0.5).T
    regressed, repaired = int((new < old).sum()), int((new > old).sum())
    delta = float(differences.mean())
    if n == 1:
        return Comparison(1, delta, None, None, None, None, None, None, regressed, repaired)
    is_binary = all(score in (0, 1) for pair in pairs for scores in pair for score in scores)
    found = interval(differences, is_binary=is_binary, confidence=confidence)
    error = float(found.error)
    quantiles = ndtri([0.5 + confidence / 2, power])
    return Comparison(
        n_examples=n,
        delta=delta,
        low=float(found.low),
        high=float(found.high),
        p_value=float(found.p_value),
        error=error,
        repeat_share=_repeat_share(pairs, error),
        minimum_detectable=min(1.0, float(quantiles.sum()) * error),
        n_regressed=regressed,
        n_repaired=repaired,
    )


def _repeat_share(pairs: Sequence[_Pair], error: float) -> float | None:
    """The share of the squared error due to variance within examples (Searle 1992, Variance Components).

    A model's variance within examples is pooled over those with two or more repeats.
    """
    within = 0.0
    for arm in (0, 1):
        repeated = [np.asarray(pair[arm], dtype=float) for pair in pairs if len(pair[arm]) > 1]
        if not repeated:
            return None
        spread = sum(float(scores.var()) * len(scores) for scores in repeated)
        pooled = spread / sum(len(scores) - 1 for scores in repeated)
        within += pooled * fmean(1 / len(pair[arm]) for pair in pairs)
    return min(1.0, within / len(pairs) / error**2)

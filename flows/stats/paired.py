"""The difference between two models on the same examples, with repeats nested in examples.

Scores that are missing are not missing at random: a model may fail on just the examples that are hard for it. Nothing
can be known of these, so `if_unanswered` bounds what the interval could be (Manski 1989, Journal of Human Resources
24:343, "Anatomy of the selection problem").
"""

from collections.abc import Callable, Mapping, Sequence
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
    candidate does not (of scores compared `by_mean`: where the candidate's mean is the lower one); repaired is the
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


@dataclass(frozen=True)
class Unanswered:
    """`n` of the pinned model's examples of which the candidate left an answer open, and what these could do.

    `low` is the lower end of the interval if every open answer were wrong, `high` its upper end if every one were
    right; the interval without these answers is never wider.
    """

    n: int
    low: float | None
    high: float | None


def compare(
    pinned: Mapping[str, Sequence[float]],
    candidate: Mapping[str, Sequence[float]],
    confidence: float = 0.95,
    power: float = 0.8,
    *,
    by_mean: bool = False,
    reach: float = 1.0,
) -> Comparison:
    """Compare two models' scores (0 to 1) by example; examples without an answer on either side are ignored.

    The repeats of an example are averaged first, so that an example is one pair however often it was asked. `delta`
    is the raw mean of the differences; interval and p-value (two-sided) are those of flows.stats.score_interval, and
    agree: p <= 0.05 if the 95 % interval excludes 0. `by_mean` counts regressed examples by their mean scores instead
    of passes. `reach` is the largest difference that an example can have: 0.5 where the pinned model has 0.5 by
    definition.
    """
    pairs = [(pinned[key], candidate[key]) for key in sorted(set(pinned) & set(candidate))]
    pairs = [(old, new) for old, new in pairs if len(old) and len(new)]
    n = len(pairs)
    if n == 0:
        return NOTHING
    means = np.array([(fmean(old), fmean(new)) for old, new in pairs])
    differences = means[:, 1] - means[:, 0]
    old, new = (means if by_mean else means > 0.5).T
    regressed, repaired = int((new < old).sum()), int((new > old).sum())
    delta = float(differences.mean())
    if n == 1:
        return Comparison(1, delta, None, None, None, None, None, None, regressed, repaired)
    is_binary = all(score in (0, 1) for pair in pairs for scores in pair for score in scores)
    found = interval(differences, is_binary=is_binary, confidence=confidence, reach=reach)
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


def if_unanswered(
    pinned: Mapping[str, Sequence[float]],
    candidate: Mapping[str, Sequence[float]],
    n_open: Mapping[str, int],
    found: Comparison,
    compare_scores: Callable[[Mapping[str, Sequence[float]], Mapping[str, Sequence[float]]], Comparison],
) -> Unanswered:
    """What `found`, the comparison of the two by `compare_scores`, could be if the open answers were known.

    `n_open` counts a candidate's answers without a score, by example. A pinned model's example that has neither a
    score nor an open answer of the candidate counts as one open answer.
    """
    unanswered = {
        key: n
        for key, scores in pinned.items()
        if len(scores) and (n := n_open.get(key, 0) or int(not candidate.get(key)))
    }
    if not unanswered:
        return Unanswered(0, found.low, found.high)
    possible = [found]
    for score in (0.0, 1.0):
        filled = {key: (*candidate.get(key, ()), *(score,) * n) for key, n in unanswered.items()}
        possible.append(compare_scores(pinned, {**candidate, **filled}))
    return Unanswered(
        len(unanswered),
        min((one.low for one in possible if one.low is not None), default=None),
        max((one.high for one in possible if one.high is not None), default=None),
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

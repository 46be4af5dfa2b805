"""The consistency of a model over repeats of the same example."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, pvariance

PASS = 0.5  # the least score that passes


@dataclass(frozen=True)
class Steadiness:
    """Consistency over k repeats per example; None if no example has k scored repeats (`spread`: two).

    `all_pass` is pass^k (Yao et al. 2024, arXiv:2406.12045), the share of examples of which all k pass; `any_passes`
    is pass@k (Chen et al. 2021, arXiv:2107.03374), of which at least one does. `spread` is the standard
    deviation of the scores of one example, from 0 (each time the same) to about 0.7. `n_flaky` examples passed
    in some repeats but not all.
    """

    n_flaky: int
    all_pass: float | None
    any_passes: float | None
    spread: float | None


def steadiness(examples: Sequence[Sequence[float]], repeats: int) -> Steadiness:
    """From the scores in [0, 1] of the scored answers of each example; at least one half is a pass."""
    passed = [[score >= PASS for score in scores] for scores in examples]
    whole = [scores for scores in passed if len(scores) >= repeats]
    repeated = [scores for scores in examples if len(scores) > 1]
    variances = [pvariance(scores) * len(scores) for scores in repeated]
    freedom = sum(len(scores) - 1 for scores in repeated)
    return Steadiness(
        n_flaky=sum(any(scores) and not all(scores) for scores in passed),
        all_pass=fmean(map(all, whole)) if whole else None,
        any_passes=fmean(map(any, whole)) if whole else None,
        spread=sqrt(sum(variances) / freedom) if freedom else None,
    )

"""The pass rate of answers that are repeated within examples, with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

import numpy as np
from scipy.special import ndtri


@dataclass(frozen=True)
class PassRate:
    """A pass rate in [0, 1] with its interval; all None where nothing was scored."""

    n_examples: int
    n_answers: int
    rate: float | None
    low: float | None
    high: float | None


def pass_rate(examples: Sequence[Sequence[float]], confidence: float = 0.95) -> PassRate:
    """The mean of per-example means, with a Wilson interval.

    `examples` holds, for each example, the scores in [0, 1] of its answered repeats; an example without any is
    left out. Repeats of one example are no independent evidence, so that the interval (Wilson 1927, JASA 22:209)
    takes an effective sample size, p(1-p) over the variance of the mean between examples (Kish 1965, Survey
    Sampling, section 8.2; for evaluations of LLMs: Miller 2024, arXiv:2411.00640). It lies between the
    number of examples and the number of answers.
    """
    answered = [scores for scores in examples if len(scores)]
    n_answers = sum(len(scores) for scores in answered)
    if not answered:
        return PassRate(0, 0, None, None, None)
    means = np.array([fmean(scores) for scores in answered])
    rate = min(1.0, max(0.0, float(means.mean())))
    low, high = wilson(rate, _effective_size(means, rate, n_answers), confidence)
    return PassRate(len(answered), n_answers, rate, low, high)


def wilson(rate: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of Wilson (1927) for a share `rate` seen on `n` > 0 trials (which need not be whole)."""
    z = float(ndtri(0.5 + confidence / 2))
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, min(rate, centre - half)), min(1.0, max(rate, centre + half))


def _effective_size(means: np.ndarray, rate: float, n_answers: int) -> float:
    n = len(means)
    within_one = rate * (1 - rate)
    # Where all passes or all fails, nothing is known of how repeats vary: the examples alone count.
    if n < 2 or within_one <= 0:
        return float(n)
    between = float(means.var(ddof=1)) / n
    return float(n_answers) if between <= 0 else float(np.clip(within_one / between, n, n_answers))

"""The pass rate of answers that are repeated within examples, with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from scipy.special import ndtri

Array = np.ndarray[Any, np.dtype[Any]]

# Weight, in examples, of the prior that repeats agree fully, relative to examples of the rarer outcome.
_WEIGHT_OF_FULL_AGREEMENT = 1.0

# A mean of means has rounding errors: 24 passes of 30 gave 0.7999999999999999, below a required 0.8.
_DIGITS = 12


@dataclass(frozen=True)
class PassRate:
    """A pass rate in [0, 1] with its interval; all None where nothing was scored."""

    n_examples: int
    n_answers: int
    rate: float | None
    low: float | None
    high: float | None


def pass_rate(examples: Sequence[Sequence[float]], confidence: float = 0.95) -> PassRate:
    """The mean of per-example means, with an interval of Agresti and Coull's.

    `examples` holds, for each example, the scores in [0, 1] of its answered repeats; an example without any is
    left out. The rate has 12 digits, so that it can be compared with a configured threshold.
    Repeats of one example are not independent, so the interval uses an effective sample size between the
    number of examples and that of answers, by how much repeats agree (the intraclass correlation: Kish 1965, Survey
    Sampling, 5.4; for evaluations of LLMs: Miller 2024, arXiv:2411.00640). Where few answers pass, or few fail, little
    is known of the agreement; then, and for a single example, full agreement is assumed.
    """
    answered = [scores for scores in examples if len(scores)]
    n_answers = sum(len(scores) for scores in answered)
    if not answered:
        return PassRate(0, 0, None, None, None)
    means = np.array([fmean(scores) for scores in answered])
    low, high = intervals(means, n_answers, confidence)
    return PassRate(len(answered), n_answers, float(_rate(means)), float(low), float(high))


def intervals(means: Array, n_answers: int, confidence: float = 0.95) -> tuple[Array, Array]:
    """Both ends for samples of per-example means, (..., n), of which each stands on `n_answers` answers in all."""
    rate = _rate(means)
    return agresti_coull(rate, _effective_size(means, rate, n_answers), confidence)


def _rate(means: Array) -> Array:
    rate: Array = np.clip(np.round(means.mean(-1), _DIGITS), 0.0, 1.0)
    return rate


def agresti_coull(rate: Array, n: Array, confidence: float = 0.95) -> tuple[Array, Array]:
    """The interval of Agresti and Coull (1998, American Statistician 52:119), `n` > 0 trials, which need not be whole.

    Wilson's centre with the plain error there: it holds Wilson's interval, and covers where that one is short.
    """
    z = float(ndtri(0.5 + confidence / 2))
    centre = (rate * n + z * z / 2) / (n + z * z)
    half = z * np.sqrt(centre * (1 - centre) / (n + z * z))
    return np.maximum(0.0, np.minimum(rate, centre - half)), np.minimum(1.0, np.maximum(rate, centre + half))


def _effective_size(means: Array, rate: Array, n_answers: int) -> Array:
    """The effective number of independent answers: n_answers / (1 + (repeats - 1) agreement)."""
    n = means.shape[-1]
    of_one, repeats = rate * (1 - rate), n_answers / n
    if n < 2 or repeats <= 1:
        return np.full_like(rate, n)
    ratio = means.var(-1, ddof=1) / np.where(of_one > 0, of_one, 1.0)
    seen = np.clip((ratio - 1 / repeats) / (1 - 1 / repeats), 0.0, 1.0)
    rare = n * np.minimum(rate, 1 - rate)
    agreement = (rare * seen + _WEIGHT_OF_FULL_AGREEMENT) / (rare + _WEIGHT_OF_FULL_AGREEMENT)
    effective: Array = n_answers / (1 + (repeats - 1) * agreement)
    return effective

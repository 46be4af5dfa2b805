"""Whether tonight's answers come from the same model as past answers: a two-sample test on texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

from flows.stats.answers import Array, distances, habits

DRAWS = 1999
_SEED = 20230613
_MOST_SPLITS = 500


@dataclass(frozen=True)
class AnswerChange:
    """The test result. `statistic` is in standard deviations under the null; it and `p_value` are None without data."""

    n_prompts: int
    n_answers: int
    statistic: float | None
    p_value: float | None


def compare_answers(past: Sequence[Sequence[str]], now: Sequence[Sequence[str]]) -> AnswerChange:
    """Test that `past` and `now`, the answers to the same prompts in the same order, come from one model.

    Prompts without an answer on both sides are ignored. The p-value is that of a permutation test (Pitman 1937; 1,999
    draws of a fixed seed), which permutes each prompt's answers between past and now. It is exact for independent
    answers, whatever the prompts and however much a model repeats itself. The statistic is the larger of two, each in
    its standard deviations: the energy distance between past and now, summed over the prompts (Szekely and Rizzo 2013,
    JSPI 143:1249), and the mean of the squared standardised shifts of the style features of all answers.

    The p-value is too small if answers of one night resemble each other for a reason other than the model (such as a
    provider that serves each night on different machines).
    """
    pairs = [(sorted(old), sorted(new)) for old, new in zip(past, now, strict=True) if len(old) and len(new)]
    n_answers = sum(len(old) + len(new) for old, new in pairs)
    if not pairs:
        return AnswerChange(0, 0, None, None)
    rng = np.random.default_rng(_SEED)
    splits = [_splits(len(old), len(new), rng) for old, new in pairs]
    # The first draw is the observed one: each prompt's first split.
    dealt = [np.r_[0, rng.integers(len(split), size=DRAWS)] for split in splits]
    apart = _apart([[*old, *new] for old, new in pairs], splits, dealt)
    moved = _moved([[*old, *new] for old, new in pairs], splits, dealt)
    statistic = np.maximum(_standardised(apart), _standardised(moved))
    # Sums in another order differ in their last digits, hence the tolerance.
    as_large = np.count_nonzero(statistic >= statistic[0] - 1e-9)
    return AnswerChange(len(pairs), n_answers, float(statistic[0]), float(as_large / len(statistic)))


def _splits(n_old: int, n_new: int, rng: np.random.Generator) -> Array:
    """Splits of the answers into past and now, (splits, answers): 1 is now. The first is the true one."""
    n = n_old + n_new
    true = np.r_[np.zeros(n_old), np.ones(n_new)]
    if comb(n, n_new) > _MOST_SPLITS:
        return np.array([true, *(rng.permutation(true) for _ in range(_MOST_SPLITS - 1))])
    chosen = [np.isin(np.arange(n), places).astype(float) for places in combinations(range(n), n_new)]
    return np.array([true, *(split for split in chosen if not np.array_equal(split, true))])


def _apart(texts: Sequence[Sequence[str]], splits: Sequence[Array], dealt: Sequence[Array]) -> Array:
    """The energy distance of past and now, summed over the prompts, for each draw."""
    total = np.zeros(len(dealt[0]))
    for answers, split, draws in zip(texts, splits, dealt, strict=True):
        gap = distances(answers)
        new, old = split, 1 - split
        cross = 2 * _mean_gap(old, gap, new)
        total += (cross - _mean_gap(old, gap, old) - _mean_gap(new, gap, new))[draws]
    return total


def _mean_gap(one: Array, gap: Array, other: Array) -> Array:
    """The mean distance between answers of two sides, for each split; within a side, between distinct answers."""
    sums = np.einsum("si,ij,sj->s", one, gap, other)
    pairs = one.sum(1) * other.sum(1) - (one * other).sum(1)
    mean: Array = sums / np.maximum(pairs, 1)
    return mean


def _moved(texts: Sequence[Sequence[str]], splits: Sequence[Array], dealt: Sequence[Array]) -> Array:
    """The mean over style features of the squared standardised shift from past to now, for each draw."""
    values = np.split(habits([text for answers in texts for text in answers]), np.cumsum([len(a) for a in texts])[:-1])
    total: Array | float = 0.0
    variance: Array | float = 0.0
    for found, split, draws in zip(values, splits, dealt, strict=True):
        shifts = (split / split.sum(1, keepdims=True) - (1 - split) / (1 - split).sum(1, keepdims=True)) @ found
        total = total + shifts[draws]
        variance = variance + (shifts**2).mean(0)
    known = np.asarray(variance) > 1e-12
    if not known.any():
        return np.zeros(len(dealt[0]))
    mean: Array = (np.asarray(total)[:, known] ** 2 / np.asarray(variance)[known]).mean(1)
    return mean


def _standardised(values: Array) -> Array:
    deviation = values.std()
    return (values - values.mean()) / deviation if deviation > 1e-12 else np.zeros_like(values)

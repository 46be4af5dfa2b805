"""What labels by stratum say of the application and of its judge: the numbers of the marts, and of their simulation."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.stats.agreement import Agreement, agreement_of
from flows.stats.binomial_limits import effective, wilson
from flows.stats.judge_accuracy import effective_labels, least_youden, true_rates
from flows.stats.label_strata import FAIL, PASS, Strata
from flows.stats.stratified_rate import Estimate, failure_rate
from flows.stats.true_prevalence import rogan_gladen

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Accuracy:
    """TPR and TNR of a judge, the effective labels that they stand on, and the lower limit of TPR + TNR - 1."""

    tpr: Estimate
    tnr: Estimate
    n_tpr: Array
    n_tnr: Array
    least_youden: Array


def window_rate(strata: Strata) -> Estimate:
    """The failure rate of a window's calls, of samples of shape (...), stratified by the judge's verdict."""
    pooled = strata.pooled()
    return failure_rate(pooled.sizes, pooled.n, pooled.failures)


def rate_of_labels_alone(strata: Strata) -> Estimate:
    """The failure rate of the labels by their probabilities alone, with Wilson's interval; NaN without labels.

    Hajek's estimate on Kish's effective number: neither the judge nor the sizes of strata count.
    """
    weights, squares = strata.weights.sum(-1), strata.squares.sum(-1)
    n = np.where(weights > 0, effective(weights, squares), np.nan)
    rate = strata.failed.sum(-1) / np.where(weights > 0, weights, np.nan)
    return Estimate(rate, *wilson(rate * n, n))


def accuracy(strata: Strata) -> Accuracy:
    """How often the judge is right; strata that it did not judge are left out."""
    pooled = strata.pooled()
    is_judged = pooled.where(FAIL) | pooled.where(PASS)
    sizes, n, failures = pooled.sizes[..., is_judged], pooled.n[..., is_judged], pooled.failures[..., is_judged]
    shares = sizes / np.maximum(sizes.sum(-1, keepdims=True), 1)
    tpr, tnr = true_rates(sizes, n, failures, pooled.where(FAIL)[is_judged])
    return Accuracy(tpr, tnr, *effective_labels(shares, n, failures), least_youden(tpr, tnr))


def day_rate(failed: Array, judged: Array, known: Accuracy) -> Estimate:
    """The failure rate of a day on which the judge failed `failed` of `judged` answers, corrected by its accuracy."""
    return rogan_gladen(failed, judged, tpr=known.tpr.value, n_tpr=known.n_tpr, tnr=known.tnr.value, n_tnr=known.n_tnr)


def agreement_with_judge(strata: Strata) -> Agreement:
    """How people and the judge agree over all judged calls, each label by its weight; on Kish's effective number."""
    pooled = strata.pooled()
    n, failures = pooled.n, pooled.failures
    rate = np.where(n > 0, failures / np.where(n > 0, n, 1.0), 0.0)
    cells, squares = [], np.zeros(pooled.sizes.shape[:-1])
    total = np.maximum((pooled.sizes * (pooled.where(FAIL) | pooled.where(PASS))).sum(-1), 1)
    for verdict in (FAIL, PASS):
        where = pooled.where(verdict)
        share = pooled.sizes[..., where] / total[..., None]
        cells += [(share * rate[..., where]).sum(-1), (share * (1 - rate[..., where])).sum(-1)]
        labels = n[..., where]
        squares = squares + np.where(labels > 0, share**2 / np.where(labels > 0, labels, 1.0), 0.0).sum(-1)
    table = np.stack(cells, axis=-1).reshape(*squares.shape, 2, 2)
    return agreement_of(table * effective(table.sum((-2, -1)), squares)[..., None, None])


def too_few(strata: Strata, least: int, least_per_verdict: int) -> str | None:
    """Why one sample's labels, (strata,), do not suffice, in words; None if they do.

    `least` are needed in all, and of answers that the judge fails and of those that it passes `least_per_verdict`, or
    all of them. Of answers that it did not judge no number is needed: their interval says how little is known.
    """
    labels = int(strata.labels.sum())
    if labels < least:
        return f"{counted(labels, 'label')}, {least} are needed"
    for verdict in (FAIL, PASS):
        where = strata.where(verdict)
        has, calls = int(strata.labels[where].sum()), int(strata.sizes[where].sum())
        if has < min(least_per_verdict, calls):
            return (
                f"{counted(has, 'label')} of answers {_WORDS[verdict]}, {least_per_verdict} or all {calls} are needed"
            )
    return None


_WORDS = {FAIL: "that the judge fails", PASS: "that the judge passes"}


def counted(number: int, noun: str) -> str:
    """A number with its noun, in the plural but for 1."""
    return f"{number} {noun}{'' if number == 1 else 's'}"

"""Choosing assertions by labelled answers, with honest figures of what the chosen ones will do.

An assertion fails answers. Of a set that fails an answer where one of its assertions does, the coverage is the share of
bad answers that it fails, and the false-failure rate that of good ones (Shankar et al. 2024, EvalGen). Assertions are
chosen greedily while the upper end of the 90 % interval of the set's false-failure rate is within a limit. Measured on
the labels that they were chosen by, both rates are too good. So they are cross-fitted: choosing is repeated without a
fold of the labels, and measured on that fold. `tests/bench/suggest.py` has what this does in simulated worlds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.stats.binomial_limits import effective, wilson

Array = np.ndarray[Any, np.dtype[Any]]

FOLDS = 5
CONFIDENCE = 0.95
"""Of one-sided limits: those of the 90 % interval."""
_NOTHING, _DIGITS = 1e-300, 9
_AHEAD = 2.0


@dataclass(frozen=True)
class Labels:
    """Labelled answers (n,): whether each is bad, and its weight, 1 / its inclusion probability."""

    is_bad: Array
    weight: Array

    def part(self, where: Array) -> "Labels":
        """The labels at these places."""
        return Labels(self.is_bad[where], self.weight[where])


@dataclass(frozen=True)
class Family:
    """Variants of one assertion, of which the labels choose one: `fails` is (n, variants), the simplest first.

    `target` (n,) are the bad answers that the family is meant for, such as those with one failure mode.
    """

    fails: Array
    target: Array

    def part(self, where: Array) -> "Family":
        """The family for the labels at these places."""
        return Family(self.fails[where], self.target[where])


@dataclass(frozen=True)
class Rates:
    """Coverage and false-failure rate, each with an end of its 90 % interval; None where there are no such answers."""

    coverage: float | None
    coverage_low: float | None
    false_failure_rate: float | None
    false_failure_high: float | None


@dataclass(frozen=True)
class Choice:
    """The variant of each family, and the families of the set in the order in which they were chosen."""

    variants: tuple[int, ...]
    chosen: tuple[int, ...]


@dataclass(frozen=True)
class CrossFitted:
    """The choice by all labels, and the cross-fitted rates of the set and of each family."""

    choice: Choice
    of_set: Rates
    of_each: tuple[Rates, ...]


def upper_limit(rate: Array | float, n: float, confidence: float = CONFIDENCE) -> Array:
    """Wilson's (1927) one-sided upper limit of rates of `n` trials, which need not be whole; 1 without trials."""
    hits: Array = np.clip(np.asarray(rate, float), 0.0, 1.0) * n
    return np.ones_like(hits) if n <= 0 else wilson(hits, np.asarray(n, float), 2 * confidence - 1)[1]


def effective_number(weight: Array) -> float:
    """Of how many equal weights these are worth (Kish 1965)."""
    return float(effective(weight.sum(), (weight**2).sum()))


def rates_of(fails: Array, labels: Labels) -> Rates:
    """The rates of an assertion, or of a set, that fails the answers `fails` (n,)."""
    covered, least = _rate(fails, labels.is_bad, labels.weight)
    false, _ = _rate(fails, ~labels.is_bad, labels.weight)
    n_good = effective_number(labels.weight[~labels.is_bad])
    return Rates(covered, least, false, None if false is None else float(upper_limit(false, n_good)))


def _rate(fails: Array, where: Array, weight: Array) -> tuple[float | None, float | None]:
    """The weighted share of answers `where` that fail, and its lower limit."""
    total = float(weight[where].sum())
    if not total:
        return None, None
    rate = min(1.0, float(weight[where & fails].sum()) / total)
    return rate, 1 - float(upper_limit(1 - rate, effective_number(weight[where])))


def choose(families: Sequence[Family], labels: Labels, limit: float, *, stretch: float = 1.0) -> Choice:
    """The variant of each family that covers most of its target, and the set of families by `greedy`.

    `stretch` multiplies the number of labels in upper limits, so that a part of the labels chooses as carefully as all
    would.
    """
    variants = tuple(_best_variant(family, labels, limit, stretch) for family in families)
    return Choice(variants, greedy(_fails_of(families, variants), labels, limit, stretch=stretch))


def _splits(fold: Array) -> Iterator[tuple[Array, Array]]:
    """For each fold, which labels are in it and which are not."""
    for number in np.unique(fold):
        yield fold == number, fold != number


def _fails_of(families: Sequence[Family], variants: Sequence[int]) -> Array:
    """What the variants fail, (n, families)."""
    return np.stack([family.fails[:, n] for family, n in zip(families, variants, strict=True)], 1)


def _best_variant(family: Family, labels: Labels, limit: float, stretch: float) -> int:
    """The variant that covers most of the target within the limit; where none is, that with fewest false failures."""
    if family.fails.shape[1] == 1:
        return 0
    caught = (labels.weight * (family.target & labels.is_bad)) @ family.fails
    good = labels.weight * ~labels.is_bad
    false = good @ family.fails / max(float(good.sum()), _NOTHING)
    allowed = upper_limit(false, stretch * effective_number(labels.weight[~labels.is_bad])) <= limit
    if not allowed.any():
        return int(np.argmin(false))
    return int(np.lexsort((np.arange(len(false)), false, -np.where(allowed, caught, -1.0)))[0])


def greedy(fails: Array, labels: Labels, limit: float, *, stretch: float = 1.0) -> tuple[int, ...]:
    """Assertions, columns of `fails` (n, k), in the order in which they are chosen.

    Each time, of those with which the upper limit of the set's false-failure rate is at most `limit`, the one that
    covers most bad answers for each good one that it adds (and two more: of small counts the first is worth most); of
    equals the one with fewer false failures, and then the first. None that covers nothing more.
    """
    good, bad = labels.weight * ~labels.is_bad, labels.weight * labels.is_bad
    total = max(float(good.sum()), _NOTHING)
    n = effective_number(labels.weight[~labels.is_bad])
    caught, chosen = np.zeros(len(fails), bool), list[int]()
    while True:
        gains = np.round(bad @ (fails & ~caught[:, None]), _DIGITS)
        false = good @ (fails | caught[:, None]) / total
        usable = np.flatnonzero((gains > 0) & (upper_limit(false, stretch * n) <= limit))
        if not len(usable):
            return tuple(chosen)
        added = np.maximum(false[usable] - good @ caught / total, 0.0)
        worth = np.round(gains[usable] / (added + _AHEAD / n), _DIGITS)
        best = int(usable[np.lexsort((usable, false[usable], -worth))[0]])
        chosen.append(best)
        caught = caught | fails[:, best]


def cross_fitted(families: Sequence[Family], labels: Labels, limit: float, fold: Array) -> CrossFitted:
    """Choose by all labels, and measure by choosing without each fold; `fold` (n,) numbers the labels' folds.

    The rates of a family are those of the variants that were chosen without the answer in question. Raises ValueError
    without families.
    """
    if not families:
        raise ValueError("no families to choose from")
    n = len(labels.is_bad)
    together, each = np.zeros(n, bool), np.zeros((n, len(families)), bool)
    for out, kept in _splits(fold):
        parts = [family.part(kept) for family in families]
        found = choose(parts, labels.part(kept), limit, stretch=n / max(int(kept.sum()), 1))
        each[out] = _fails_of(families, found.variants)[out]
        together[out] = each[out][:, list(found.chosen)].any(1)
    of_each = tuple(rates_of(each[:, k], labels) for k in range(len(families)))
    return CrossFitted(choose(families, labels, limit), rates_of(together, labels), of_each)


def folds_of(is_bad: Array, order: Array) -> Array:
    """The fold of each label, (n,): by their `order` in turn, the bad and the good ones apart."""
    fold = np.zeros(len(is_bad), int)
    for kind in (is_bad, ~is_bad):
        places = np.flatnonzero(kind)
        fold[places[np.argsort(order[places], kind="stable")]] = np.arange(len(places)) % FOLDS
    return fold


def distinct(fails: Array) -> tuple[int, ...]:
    """The columns of `fails` (n, k) that are not the same as an earlier one, in their order."""
    seen, kept = set[bytes](), list[int]()
    for k in range(fails.shape[1]):
        verdicts = np.packbits(fails[:, k]).tobytes()
        if verdicts not in seen:
            seen.add(verdicts)
            kept.append(k)
    return tuple(kept)

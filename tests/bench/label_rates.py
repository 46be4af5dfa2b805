"""Coverage and width of what labels say: rates of a window and of a day, the judge's accuracy, and agreement.

    nice python -m tests.bench.label_rates [trials]

A route has 500 judged calls a day. One in seven is of a kind of its own, in which failures are more frequent, and the
judge errs independently. 30 labels a day are drawn with unequal probabilities, systematically over the strata: 20 at
random from all calls and 10 from the strata that are not plain or that the judge failed (`finding`), or as many for
each verdict (`rates`). The 18 cells are failure rates of 2, 10 and 30 %, a TPR and TNR of .95, .9 and .8, and windows
of 7 and 28 days. The truth is the rate at which the application fails, of which a window's calls are a sample. Widths
are compared with Wilson's interval of as many labels at random. The functions are those of the marts.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from flows.stats.agreement import agreement_of
from flows.stats.binomial_limits import wilson
from flows.stats.label_measures import (
    Accuracy,
    accuracy,
    agreement_with_judge,
    day_rate,
    rate_of_labels_alone,
    window_rate,
)
from flows.stats.label_rates import LEAST_IN_VERDICT, LEAST_LABELS, LEAST_YOUDEN
from flows.stats.label_strata import FAIL, PASS, Strata
from flows.stats.stratified_rate import Estimate

Array = np.ndarray[Any, np.dtype[Any]]

RATES, RIGHTS, WINDOWS = (0.02, 0.1, 0.3), (0.95, 0.9, 0.8), (7, 28)
JUDGED, LABELS = 500, 30
KINDS = {"plain": (0.86, 1.0), "incident": (0.01, 6.0), "new_topic": (0.06, 2.0), "bad_feedback": (0.01, 4.0),
         "costly": (0.06, 1.5)}  # fmt: skip
"""The share of each kind of calls, and how much more often they fail than plain ones."""
SHIFTS = ((0.02, 0.05), (0.02, 0.1), (0.1, 0.2), (0.3, 0.1), (0.1, 0.1))


@dataclass(frozen=True)
class World:
    """Calls of one rate and judge: `shares` of the strata and the rate of failures `within` each, both (strata,)."""

    names: tuple[str, ...]
    shares: Array
    within: Array

    @classmethod
    def of(cls, rate: float, right: float) -> "World":
        """The failure rate is `rate` over all kinds; TPR and TNR are `right` in each."""
        times = {kind: more for kind, (_, more) in KINDS.items()}
        scale = 1.0
        for _ in range(50):  # a kind fails at most in 95 %
            rates = {kind: min(0.95, rate * scale * more) for kind, more in times.items()}
            scale *= rate / sum(share * rates[kind] for kind, (share, _) in KINDS.items())
        names, shares, within = [], [], []
        for verdict, kind in product((FAIL, PASS), KINDS):
            failing = rates[kind] * (right if verdict == FAIL else 1 - right)
            good = (1 - rates[kind]) * (1 - right if verdict == FAIL else right)
            names.append(f"{kind}:{verdict}")
            shares.append(KINDS[kind][0] * (failing + good))
            within.append(failing / (failing + good))
        return cls(tuple(names), np.array(shares), np.array(within))


def weights(names: Sequence[str], sizes: Array, draw: str) -> Array:
    """How many labels each stratum expects of a day's 30, (..., strata), before no call is certain more than once."""
    is_failed = np.array([name.endswith(FAIL) for name in names])
    if draw == "rates":
        of_verdict = np.where(
            is_failed, (sizes * is_failed).sum(-1)[..., None], (sizes * ~is_failed).sum(-1)[..., None]
        )
        return LABELS / 2 * sizes / np.maximum(of_verdict, 1)
    parts = np.where(is_failed, 2.0, 1.0) * np.array([name != f"plain:{PASS}" for name in names]) * (sizes > 0)
    at_random = LABELS * 2 / 3
    found: Array = at_random * sizes / JUDGED + (LABELS - at_random) * parts / parts.sum(-1, keepdims=True)
    return found


def sample(world: World, rng: np.random.Generator, trials: int, days: int, draw: str) -> Strata:
    """The labels of windows of `days`, as sums of shape (trials, strata)."""
    sizes = rng.multinomial(JUDGED, world.shares / world.shares.sum(), size=(trials, days))
    expected = weights(world.names, sizes, draw)
    for _ in range(8):
        capped = np.minimum(expected, sizes)
        free = expected < sizes
        left = LABELS - np.where(free, 0.0, capped).sum(-1, keepdims=True)
        of_free = np.where(free, expected, 0.0).sum(-1, keepdims=True)
        expected = np.where(free, expected * left / np.maximum(of_free, 1e-9), capped)
    expected = np.minimum(expected, sizes)
    start = rng.random((trials, days, 1))
    met = np.ceil(np.cumsum(expected, -1) - start - 1e-9)
    drawn = np.diff(np.maximum(met, 0), prepend=0.0, axis=-1)
    weight = sizes / np.where(expected > 0, expected, 1.0)
    failed = rng.binomial(drawn.astype(int), world.within)
    names = tuple(name.partition(":")[2] for name in world.names)
    return Strata(names, sizes.sum(1).astype(float), drawn.sum(1), (drawn * weight).sum(1),
                  (drawn * weight**2).sum(1), (failed * weight).sum(1))  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """How often an interval holds the truth, its mean width, and the share of trials in which it is told at all."""

    covered: float
    width: float
    told: float


def cell(found: Estimate, truth: float, is_told: Array) -> Cell:
    """Over the trials in which it is told."""
    if not is_told.any():
        return Cell(np.nan, np.nan, 0.0)
    low, high = found.low[is_told], found.high[is_told]
    covered = (low <= truth + 1e-12) & (truth - 1e-12 <= high)
    return Cell(float(covered.mean()), float((high - low).mean()), float(is_told.mean()))


def is_enough(strata: Strata) -> Array:
    """Of each trial, as `too_few` of flows/stats/label_measures.py tells it of one."""
    enough = strata.labels.sum(-1) >= LEAST_LABELS
    for verdict in (FAIL, PASS):
        where = strata.where(verdict)
        enough &= strata.labels[:, where].sum(-1) >= np.minimum(LEAST_IN_VERDICT, strata.sizes[:, where].sum(-1))
    return enough


def main(trials: int = 4000) -> None:
    """Print the tables."""
    for draw in ("finding", "rates"):
        windows(np.random.default_rng(15), trials, draw)
    days(np.random.default_rng(16), trials)
    people(np.random.default_rng(17), max(trials // 4, 1))


def windows(rng: np.random.Generator, trials: int, draw: str) -> None:
    """Rates of a window, TPR, TNR and agreement with the judge in the 18 cells."""
    print(
        f"draw {draw}, {trials} trials a cell: coverage and width, of rates in widths of {LABELS} random labels a day"
    )
    told: dict[str, list[tuple[Cell, float]]] = {}
    for rate, right, days_ in product(RATES, RIGHTS, WINDOWS):
        world = World.of(rate, right)
        strata = sample(world, rng, trials, days_, draw)
        n = LABELS * days_
        alone = np.subtract(*wilson(rng.binomial(n, rate, trials) * 1.0, np.full(trials, float(n)))[::-1]).mean()
        enough, known = is_enough(strata), accuracy(strata)
        row = {
            "window": cell(window_rate(strata), rate, enough),
            "labels alone": cell(rate_of_labels_alone(strata), rate, np.full(trials, fill_value=True)),
            "TPR": cell(known.tpr, right, enough & ~np.isnan(known.tpr.value)),
            "TNR": cell(known.tnr, right, enough & ~np.isnan(known.tnr.value)),
        }
        part = slice(0, max(trials // 4, 1))
        some = Strata(strata.verdicts, *(getattr(strata, name)[part] for name in _SUMS))
        truths = _agreement_truths(rate, right)
        for (name, truth), found in zip(truths.items(), _estimates(agreement_with_judge(some)), strict=True):
            row[name] = cell(found, truth, enough[part] & ~np.isnan(found.value))
        shown = {name: one.width / alone if name in _RATES else one.width for name, one in row.items()}
        text = "; ".join(f"{name} {one.covered:.3f} {shown[name]:.2f}" for name, one in row.items())
        print(f"  {rate:.0%} {right} {days_} days, told in {row['window'].told:.2f}: {text}", flush=True)
        for name, one in row.items():
            told.setdefault(name, []).append((one, shown[name]))
    for name, cells in told.items():
        _tell(name, [one for one, _ in cells], [width for _, width in cells])


_RATES = ("window", "labels alone")
_SUMS = ("sizes", "labels", "weights", "squares", "failed")


def _agreement_truths(rate: float, right: float) -> dict[str, float]:
    table = np.array([[rate * right, (1 - rate) * (1 - right)], [rate * (1 - right), (1 - rate) * right]])
    found = agreement_of(table * 1e9)
    names = ("agreement", "AC1", "kappa")
    return {name: float(one.value) for name, one in zip(names, _estimates(found), strict=True)}


def _estimates(found: Any) -> Iterator[Estimate]:
    yield from (found.agreement, found.ac1, found.kappa)


def days(rng: np.random.Generator, trials: int) -> None:
    """A day's own rate by Rogan and Gladen, where its rate is another than that of the 28 days with the labels."""
    print("the day's own rate: 28 days of labels at one rate, the day's 500 verdicts at another")
    cells = []
    for (before, now), right in product(SHIFTS, RIGHTS):
        strata = sample(World.of(before, right), rng, trials, 28, "finding")
        known: Accuracy = accuracy(strata)
        failed = rng.binomial(JUDGED, now * right + (1 - now) * (1 - right), trials).astype(float)
        is_told = is_enough(strata) & (known.least_youden >= LEAST_YOUDEN)
        found = cell(day_rate(failed, np.full(trials, float(JUDGED)), known), now, is_told)
        one_day = np.full(trials, float(LABELS))
        alone = np.subtract(*wilson(rng.binomial(LABELS, now, trials) * 1.0, one_day)[::-1]).mean()
        print(f"  {before:.0%} to {now:.0%}, {right}: {found.covered:.3f} width {found.width:.3f},"
              f" of the day's {LABELS} labels {alone:.3f}; told {found.told:.2f}")  # fmt: skip
        cells.append(found)
    _tell("the day's own rate", cells, [one.width for one in cells])


def people(rng: np.random.Generator, trials: int) -> None:
    """Two people of equal accuracy judge the same answers."""
    print("two people on the same answers: agreement, AC1, kappa")
    cells: dict[str, list[Cell]] = {}
    for n, rate, right in product((60, 200), RATES, (0.95, 0.9)):
        both, one = rate * right**2 + (1 - rate) * (1 - right) ** 2, right * (1 - right)
        chances = np.array([both, one, one, 1 - both - 2 * one])
        truths = agreement_of((chances * 1e9).reshape(2, 2))
        found = agreement_of(rng.multinomial(n, chances, trials).reshape(trials, 2, 2))
        names = ("agreement", "AC1", "kappa")
        for name, truth, estimate in zip(names, _estimates(truths), _estimates(found), strict=True):
            is_told = ~np.isnan(estimate.value)
            cells.setdefault(name, []).append(cell(estimate, float(truth.value), is_told))
        shown = "; ".join(f"{name} {of[-1].covered:.3f} width {of[-1].width:.2f}" for name, of in cells.items())
        print(f"  {n} answers, {rate:.0%}, {right}: {shown}")
    for name, of in cells.items():
        _tell(f"people, {name}", of, [one.width for one in of])


def _tell(name: str, cells: Sequence[Cell], widths: Sequence[float]) -> None:
    covered = np.array([one.covered for one in cells])
    known = covered[~np.isnan(covered)]
    print(
        f"{name}: {len(known)} cells, mean {known.mean():.3f}, least {known.min():.3f},"
        f" {np.count_nonzero(known >= 0.94)} of at least 94 %;"
        f" width {np.nanmean(widths):.2f} [{np.nanmin(widths):.2f}-{np.nanmax(widths):.2f}]"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

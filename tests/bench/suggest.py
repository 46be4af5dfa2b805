"""How honest the figures of suggested criteria are, in simulated worlds: `python -m tests.bench.suggest`.

A world has six failure modes, of which each bad answer (30 %) has one, and five candidates a mode. A candidate fails a
share of its mode's answers (uniform, .3 to .95), a share of the good ones (the square of a uniform, up to .2) and as
many of the other modes' answers. So many answers are labelled; 20,000 more say what is true. Beside the method of
`flows/stats/assertion_sets.py` stand the same set measured on the labels that chose it, and EvalGen's rule: of each
mode the candidate with the best Matthews correlation, measured in the same way.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from flows.stats.assertion_sets import Family, Labels, cross_fitted, folds_of, rates_of

Array = np.ndarray[Any, np.dtype[Any]]

WORLDS, TRUTH, LIMIT = 400, 20_000, 0.10
MODES, CANDIDATES, BAD = 6, 5, 0.3


@dataclass(frozen=True)
class World:
    """Labelled answers and the truth: their labels, the mode of each (-1 of good ones), and what candidates fail."""

    labels: Labels
    mode: Array
    fails: Array
    true_labels: Labels
    true_fails: Array


def world(n: int, seed: int) -> World:
    """One world with `n` labelled answers."""
    rng = np.random.default_rng(seed)
    recall, false = rng.uniform(0.3, 0.95, (MODES, CANDIDATES)), 0.2 * rng.uniform(0, 1, (MODES, CANDIDATES)) ** 2

    def answers(count: int) -> tuple[Labels, Array, Array]:
        is_bad = rng.random(count) < BAD
        mode = np.where(is_bad, rng.integers(0, MODES, count), -1)
        share = np.where(mode[:, None, None] == np.arange(MODES)[None, :, None], recall[None], false[None])
        return Labels(is_bad, np.ones(count)), mode, (rng.random(share.shape) < share).reshape(count, -1)

    labels, mode, fails = answers(n)
    true_labels, _, true_fails = answers(TRUTH)
    return World(labels, mode, fails, true_labels, true_fails)


def rates(fails: Array, chosen: tuple[int, ...], labels: Labels) -> tuple[float, float]:
    """Coverage and false-failure rate of a set."""
    found = rates_of(fails[:, list(chosen)].any(1), labels)
    return found.coverage or 0.0, found.false_failure_rate or 0.0


def evalgen(one: World) -> tuple[int, ...]:
    """Of each mode the candidate with the best Matthews correlation with the labels, by ChainForge's rule."""
    bad, chosen = one.labels.is_bad, []
    for mode in range(MODES):
        scores = []
        for k in range(mode * CANDIDATES, (mode + 1) * CANDIDATES):
            flags = one.fails[:, k]
            cells = [float((a & b).sum()) for a in (flags, ~flags) for b in (bad, ~bad)]
            tp, fp, fn, tn = cells
            scale = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
            scores.append((tp * tn - fp * fn) / scale if scale else 0.0)
        chosen.append(mode * CANDIDATES + int(np.argmax(scores)))
    return tuple(chosen)


def cross(one: World, seed: int) -> tuple[tuple[int, ...], tuple[float, float]]:
    """The method: the chosen set, and what it says of it."""
    families = [Family(one.fails[:, [k]], one.labels.is_bad) for k in range(one.fails.shape[1])]
    order = np.random.default_rng(seed + 1_000_000).permutation(len(one.mode))
    found = cross_fitted(families, one.labels, LIMIT, folds_of(one.labels.is_bad, order))
    return found.choice.chosen, (found.of_set.coverage or 0.0, found.of_set.false_failure_rate or 0.0)


def results(n: int, worlds: int = WORLDS) -> Iterator[tuple[str, Array]]:
    """Per method an array (worlds, 4): said coverage and false-failure rate, and the true ones."""
    found: dict[str, list[tuple[float, ...]]] = {}
    for seed in range(worlds):
        one = world(n, seed)
        chosen, said = cross(one, seed)
        on_labels = rates(one.fails, chosen, one.labels)
        true = rates(one.true_fails, chosen, one.true_labels)
        rule = evalgen(one)
        for name, row in (
            ("greedy, upper limit, cross-fitted", (*said, *true)),
            ("the same set on its own labels", (*on_labels, *true)),
            (
                "EvalGen, best MCC of each mode",
                (*rates(one.fails, rule, one.labels), *rates(one.true_fails, rule, one.true_labels)),
            ),
        ):
            found.setdefault(name, []).append(row)
    return ((name, np.array(rows)) for name, rows in found.items())


def main() -> None:
    """Print the table."""
    worlds = int(sys.argv[1]) if len(sys.argv) > 1 else WORLDS
    print("| labels | method | said coverage / false | true | bias of both | limit broken |")
    print("| --- | --- | --- | --- | --- | --- |")
    for n in (100, 420):
        for name, rows in results(n, worlds):
            said_coverage, said_false, coverage, false = rows.mean(0)
            broken = float((rows[:, 3] > LIMIT).mean())
            print(
                f"| {n} | {name} | {said_coverage:.2f} / {said_false:.3f} | {coverage:.2f} / {false:.3f}"
                f" | {said_coverage - coverage:+.3f} / {said_false - false:+.3f} | {broken:.0%} |"
            )


if __name__ == "__main__":
    main()

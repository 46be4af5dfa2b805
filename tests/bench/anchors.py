"""Judges that change: how soon the anchor set shows it, and how often it shows a change where there is none.

    python -m tests.bench.anchors [--trials 400] [--series 300]

Verdicts are simulated from the recorded ones of LLMBar (`../shared/data/llmbar`): each of its items in each of the two
orders is one answer of the anchor set. An answer gets its recorded verdict on a night, except for flips: with the
probability `flips`, and three times as often where the recorded verdict changes with the order. A judge loses 8 points
where a random part of its right verdicts become wrong and nothing else changes, which is the least that such a loss can
do; a judge that is replaced has the verdicts of another one. Where nights are odd, the flips of a night are multiplied
by a lognormal factor of its own, of which one standard deviation is twice or half as many. The p-value shares the
false-discovery control with so many series in which nothing changes.
"""

import argparse
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from flows.config.threshold_table import thresholds
from flows.stats.anchor_change import VerdictChange, verdict_change
from flows.stats.fdr import q_values

RECORDED = Path(os.environ.get("GENCHI_SHARED", "../shared")) / "data/llmbar/judgements.parquet"
RISK = "standard"
PAST, WEEK, MONTH = 28, 7, 30
SHOWN = (1, 3, 7)
LOST = 0.08
FLIPS = (0.0, 0.02, 0.05)
UNSTABLE = 3.0  # times as many flips
ODD = float(np.log(2))
SETTINGS = (*((flips, 0.0, 200) for flips in FLIPS), (FLIPS[1], ODD, 200), (FLIPS[1], 0.0, 60))
JUDGES = (("GPT-4", "Vanilla"), ("ChatGPT", "Vanilla"), ("LLaMA2", "Vanilla"))
REPLACED = (
    (("GPT-4", "Metrics_Reference"), ("PaLM2", "Metrics_Reference")),
    (("ChatGPT-0301", "Vanilla"), ("LLaMA2", "CoT")),
)

Judge = tuple[str, str]


def recorded() -> dict[Judge, tuple[np.ndarray, np.ndarray]]:
    """By judge and protocol: whether each answer's verdict is right, and whether the verdict changes with the order."""
    found = {}
    rows = pq.read_table(RECORDED).to_pandas().sort_values(["judge", "protocol", "item"])
    for (judge, protocol), of_judge in rows.groupby(["judge", "protocol"]):
        first, second, gold = (
            of_judge[name].to_numpy() for name in ("winner_original_order", "winner_swapped_order", "gold")
        )
        found[judge, protocol] = np.r_[first == gold, second == gold], np.tile(first != second, 2)
    return found


def worse(right: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The verdicts of a judge that has lost `LOST` of all answers, chosen among those that it had right."""
    changed = right.copy()
    changed[rng.choice(np.flatnonzero(right), round(LOST * len(right)), replace=False)] = False
    return changed


def nights(right: np.ndarray, flips: np.ndarray, n: int, rng: np.random.Generator, odd: float = 0.0) -> np.ndarray:
    """Whether each verdict of `n` nights is right, (nights, answers); `odd` is how much flips vary between nights."""
    of_night = np.exp(odd * rng.standard_normal((n, 1)))
    is_flipped: np.ndarray = rng.random((n, len(right))) < np.minimum(flips * of_night, 0.5)
    verdicts: np.ndarray = right != is_flipped
    return verdicts


def is_told(change: VerdictChange, n_series: int, rng: np.random.Generator) -> bool:
    """Whether the night tells of it, among `n_series` series in which nothing changes."""
    known = thresholds(RISK)
    if change.p_value is None or change.unlike is None or change.unlike_before is None:
        return False
    q = q_values([change.p_value, *rng.random(n_series)])[0]
    is_large = change.unlike - change.unlike_before >= known["min_judge_shift"]
    return is_large and q is not None and q <= known["max_q_value"]


def first_told(verdicts: np.ndarray, n_series: int, rng: np.random.Generator) -> int:
    """The first of the nights after the past on which a change is told, from 1 on; 0 if on none."""
    labels = np.zeros(verdicts.shape[1])  # a right verdict is one that does not differ from the label
    unlike = (~verdicts).astype(np.int64)
    for night in range(PAST, len(verdicts)):
        past = unlike[max(0, night - PAST) : night + 1]
        if is_told(verdict_change(past, np.ones_like(past), labels), n_series, rng):
            return night - PAST + 1
    return 0


@dataclass(frozen=True)
class World:
    """What is simulated: the answers, how many other series there are, and how much flips vary between nights."""

    right: np.ndarray
    is_unstable: np.ndarray
    flips: float
    n_series: int
    odd: float = 0.0


def trials(world: World, n: int, days: int, after: np.ndarray | None = None) -> list[int]:
    """The night on which each of `n` trials tells of a change; without `after` the judge loses points."""
    rate, told = np.minimum(world.flips * np.where(world.is_unstable, UNSTABLE, 1.0), 0.5), []
    for seed in range(n):
        rng = np.random.default_rng(seed)
        then = worse(world.right, rng) if after is None else after
        verdicts = [nights(right, rate, days, rng, world.odd) for right, days in ((world.right, PAST), (then, days))]
        told.append(first_told(np.vstack(verdicts), world.n_series, rng))
    return told


def shares(told: Iterable[int]) -> str:
    """The shares that are told by each of the nights shown."""
    found = np.array(list(told))
    return " / ".join(f"{((found > 0) & (found <= night)).mean():.2f}" for night in SHOWN)


def main() -> None:
    """Run the trials and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--series", type=int, default=300)
    given = parser.parse_args()
    judges = recorded()
    print(f"{given.trials} trials, {given.series} other series: told by night {SHOWN}, false alarms in {MONTH} nights")
    print(f"{'judge':36}{'answers':>8}{'flips':>7}{'told':>21}{'false':>8}")
    for judge in JUDGES:
        for flips, odd, answers in SETTINGS:
            right, is_unstable = (values[:answers] for values in judges[judge])
            world = World(right, is_unstable, flips, given.series, odd)
            told = shares(trials(world, given.trials, WEEK))
            false = np.mean(np.array(trials(world, max(1, given.trials // 4), MONTH, right)) > 0)
            name = f"{judge[0]}{', odd nights' if odd else ''}"
            print(f"{name:36}{len(right):8}{flips:7.2f}{told:>21}{false:8.3f}", flush=True)
    for before, after in REPLACED:
        world = World(*judges[before], FLIPS[-1], given.series)
        told = shares(trials(world, given.trials, WEEK, judges[after][0]))
        name = f"{before[0]} replaced by {after[0]}"
        print(f"{name:36}{len(world.right):8}{FLIPS[-1]:7.2f}{told:>21}", flush=True)


if __name__ == "__main__":
    main()

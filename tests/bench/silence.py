"""How often a swapped model is detected by its answers, and the false alarms for an unchanged one, at p <= 0.01.

    python -m tests.bench.silence [trials] [answers.json of tests.bench.small_models]

A trial is a canary: 100 prompts with 3 answers each, of the past and of now. llmdrift (in GENCHI_SHARED) has one answer
to each of 500 questions by four OpenAI models at temperature 0.1. The questions are of one form, so that answers
to different ones stand for the nondeterminism of one prompt: a prompt of a trial is three answers drawn at random of
the one model, and three of the other (or the same, for false alarms). "Two thirds of the prompts repeat themselves" has
the same answer three times there, as a model at temperature 0 does. "A tenth of the calls" swaps so many answers of
now. The small models' answers are real repeats: of the nine of SmolLM2 at 0.7 any three stand for the past and any
other three for an unchanged now.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from flows.stats.answer_change import compare_answers

SHARED = Path(os.environ.get("GENCHI_SHARED", "../shared"))
PROMPTS, ANSWERS, LEVEL = 100, 3, 0.01
Canary = list[list[str]]


def main(trials: int = 100, answers: str | None = None) -> None:
    """Print a line a kind of trial; of unchanged models there are four times as many."""
    rng = np.random.default_rng(9)
    pools = _llmdrift()
    print("llmdrift, real answers")
    for name in pools:
        _tell(f"unchanged {name}", 4 * trials, lambda name=name: (_draw(rng, pools[name]), _draw(rng, pools[name])))
    for one, other in combinations(pools, 2):
        _tell(f"{one} -> {other}", trials, lambda a=one, b=other: (_draw(rng, pools[a]), _draw(rng, pools[b])))
    old, new = pools["gpt-4-0314"], pools["gpt-4-0613"]
    for share in (0.02, 0.05, 0.1, 0.2):
        _tell(
            f"gpt-4-0314 -> gpt-4-0613 for {share:.0%} of the calls",
            trials,
            lambda share=share: (_draw(rng, old), _mixed(rng, _draw(rng, old), _draw(rng, new), share)),
        )
    for share in (0.02, 0.05, 0.1):
        _tell(
            f"answers that never vary, of which {share:.0%} change",
            trials,
            lambda share=share: _still(rng, old, new, share),
        )
    if answers:
        _small_models(rng, trials, json.loads(Path(answers).read_text(encoding="utf-8")))


def _llmdrift() -> dict[str, list[str]]:
    rows = pq.read_table(SHARED / "data" / "llmdrift" / "happy_numbers.parquet", columns=["model", "answer"])
    pools: dict[str, list[str]] = {}
    for row in rows.to_pylist():
        pools.setdefault(row["model"].rpartition("/")[2], []).append(row["answer"] or "")
    return dict(sorted(pools.items()))


def _draw(rng: np.random.Generator, pool: Sequence[str]) -> Canary:
    """Prompts with answers drawn from the pool, each drawn independently."""
    chosen = rng.integers(len(pool), size=(PROMPTS, ANSWERS))
    return [[pool[place] for place in row] for row in chosen]


def _mixed(rng: np.random.Generator, one: Canary, other: Canary, share: float) -> Canary:
    return [
        [b if rng.random() < share else a for a, b in zip(row, instead, strict=True)]
        for row, instead in zip(one, other, strict=True)
    ]


def _still(rng: np.random.Generator, old: Sequence[str], new: Sequence[str], share: float) -> tuple[Canary, Canary]:
    """Each prompt has the same answer three times, and another one three times now on a share of the prompts."""
    past = [[old[place]] * ANSWERS for place in rng.choice(len(old), PROMPTS)]
    now = [[new[rng.integers(len(new))]] * ANSWERS if rng.random() < share else row for row in past]
    return past, now


def _small_models(rng: np.random.Generator, trials: int, found: dict[str, Canary]) -> None:
    print(f"small models, real repeats to {len(next(iter(found.values())))} prompts")
    base = found["smollm2 at 0.7"]

    def same() -> tuple[Canary, Canary]:
        dealt = [[row[place] for place in rng.permutation(len(row))] for row in base]
        return [row[:ANSWERS] for row in dealt], [row[ANSWERS : 2 * ANSWERS] for row in dealt]

    _tell("unchanged smollm2 at 0.7", 4 * trials, same)
    for arm, rows in found.items():
        if arm != "smollm2 at 0.7":
            _tell(f"smollm2 at 0.7 -> {arm}", trials, lambda rows=rows: (same()[0], rows))
    other = found["gemma at 0.7"]

    def partly(share: float) -> tuple[Canary, Canary]:
        past, now = same()
        return past, _mixed(rng, now, other, share)

    for share in (0.1, 0.2, 0.3):
        _tell(f"smollm2 -> gemma at 0.7 for {share:.0%} of the calls", trials, lambda share=share: partly(share))


def _tell(name: str, trials: int, draw: Callable[[], tuple[Canary, Canary]]) -> None:
    p_values = [compare_answers(*draw()).p_value for _ in range(trials)]
    share = float(np.mean([p is not None and p <= LEVEL for p in p_values]))
    print(f"  {name}: p <= {LEVEL} in {share:.1%} of {trials}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100, *sys.argv[2:3])

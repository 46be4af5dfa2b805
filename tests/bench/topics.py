"""The smallest new topic that is found on real texts: CLINC150, with intents held out and then injected.

    python -m tests.bench.topics [months] [seed] [results.json]

A month is 28 days of history and three nights of about CALLS calls, drawn without replacement from the 23,700 texts
(all splits pooled: they are not exchangeable) with weekday rhythm, intents whose shares wander from day to day, and
users of very different weight who keep to their own intents. One intent is held out; on the three nights its texts
take the place of a share of the calls. An intent has 150 texts, so that the large rungs run dry on the third night.
The oracle knows the labels, counts the users of the injected intent alone, and tests them against the history, in
which there are none. Quiet nights are the same months with nothing injected.
"""

import json
import sys
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from flows.config.threshold_table import thresholds
from flows.semantics import novelty
from flows.semantics.embedding import Packaged
from flows.semantics.novelty import densest
from flows.semantics.vectors import Vectors
from flows.stats import two_sample
from tests.bench.detection.night import RISK
from tests.conftest import SHARED

HISTORY, NIGHTS, CALLS, USERS = 28, 3, 500, 400
RUNGS = (0.0, 0.005, 0.01, 0.02, 0.05, 0.10, 0.20)
# One of about 300 series of a night under its control of false discoveries; and one alarm in 30 nights, alone.
LEVELS = (thresholds(RISK)["max_q_value"] / 300, 1 / 30)
WANDER, WEEKEND, OWN_SHARE = 0.25, 0.3, 0.35
# No month is begun after so many seconds.
BUDGET_S = 600


@dataclass
class Pool:
    """The texts: their vectors (n, d) and the codes of their intents (n,); out-of-scope texts are an intent too."""

    vectors: np.ndarray
    intents: np.ndarray
    oos: int
    stock: dict[int, list[int]] = field(default_factory=dict)

    def refill(self, rng: np.random.Generator) -> None:
        """Put all texts back, in a new order."""
        self.stock = {
            code: list(rng.permutation(np.flatnonzero(self.intents == code))) for code in np.unique(self.intents)
        }

    def draw(self, intent: int, shares: np.ndarray, rng: np.random.Generator) -> int:
        """A text of the intent, or of another where it has none left."""
        while not self.stock[intent]:
            intent = int(rng.choice(len(shares), p=shares))
        return int(self.stock[intent].pop())


@dataclass(frozen=True)
class Day:
    """The texts of a day, as places in the pool, and their users."""

    texts: np.ndarray
    users: np.ndarray


def load(shared: Path) -> Pool:
    table = pq.read_table(shared / "data" / "clinc150" / "clinc150_full.parquet")
    names, codes = np.unique(np.array(table["intent"].to_pylist()), return_inverse=True)
    return Pool(Packaged().embed(table["text"].to_pylist()), codes, int(np.flatnonzero(names == "oos")[0]))


def month(pool: Pool, held_out: int, rng: np.random.Generator) -> list[Day]:
    """HISTORY and NIGHTS days without the intent that is held out."""
    pool.refill(rng)
    count = len(pool.stock)
    base = np.array([len(pool.stock[code]) for code in range(count)]) * np.exp(rng.normal(0, 0.15, count))
    base[held_out] = 0
    activity = np.exp(rng.normal(0, 1.3, USERS))
    own = rng.choice(np.flatnonzero(base), (USERS, 5))
    on_weekends, wander = rng.normal(0, WEEKEND, count), rng.normal(0, WANDER, count)
    first_weekday, days = int(rng.integers(7)), []
    for number in range(HISTORY + NIGHTS):
        is_weekend = (first_weekday + number) % 7 >= 5
        wander = 0.7 * wander + np.sqrt(1 - 0.49) * rng.normal(0, WANDER, count)
        shares = base * np.exp(wander + is_weekend * on_weekends)
        shares /= shares.sum()
        calls = int(CALLS * (0.7 if is_weekend else 1.12) * np.exp(rng.normal(0, 0.05)))
        active = activity * (rng.random(USERS) < 0.6)
        users = rng.choice(USERS, calls, p=active / active.sum())
        intents = rng.choice(count, calls, p=shares)
        keeps = rng.random(calls) < OWN_SHARE
        intents[keeps] = own[users[keeps], rng.integers(0, 5, int(keeps.sum()))]
        days.append(Day(np.array([pool.draw(int(intent), shares, rng) for intent in intents]), users))
    return days


def injected(day: Day, texts: list[int], share: float, rng: np.random.Generator) -> tuple[Day, int]:
    """The day with texts of the new intent in the place of a share of its calls, and how many users sent them."""
    count = min(int(rng.binomial(len(day.texts), share)), len(texts))
    places = rng.choice(len(day.texts), count, replace=False)
    changed = day.texts.copy()
    changed[places] = [texts.pop() for _ in range(count)]
    return Day(changed, day.users), len(np.unique(day.users[places]))


def rows(pool: Pool, days: list[Day], first: date) -> Vectors:
    texts = np.concatenate([day.texts for day in days])
    ordinals = np.repeat(first.toordinal() + np.arange(len(days)), [len(day.texts) for day in days])
    users = np.concatenate([day.users for day in days])
    return Vectors([str(place) for place in range(len(texts))], ordinals, users, pool.vectors[texts])


def night(pool: Pool, days: list[Day], first: date, *, is_found: bool) -> tuple[float, float]:
    """The p-values of a new topic (1 where it was found before) and of the two samples on the last of the days."""
    last = date.fromordinal(first.toordinal() + len(days) - 1)
    now = rows(pool, days, first)
    group = None if is_found else densest(now, last)
    samples = two_sample.compare(now.vectors, now.days, now.authors, last.toordinal(), seed=0)
    return (group.p_value if group else 1.0), (samples.p_value if samples else 1.0)


def oracle(users: list[int], days: list[Day]) -> float:
    """The probability that all users of the intent fall on the last nights by chance, of all user-days."""
    counts = [len(np.unique(day.users)) for day in days]
    spans = [(sum(users[-1:]), counts[-1]), (sum(users), sum(counts[-len(users) :]))]
    return float(min(1.0, 2 * min((here / sum(counts)) ** seen for seen, here in spans)))


def trial(pool: Pool, rung: float, seed: int) -> list[dict[str, Any]]:
    """Three nights of one month, each with p-values; what was found is not looked for again."""
    rng = np.random.default_rng(seed)
    held_out = int(rng.choice([code for code in np.unique(pool.intents) if code != pool.oos]))
    days = month(pool, held_out, rng)
    texts, users, found = list(pool.stock[held_out]), [], []
    first = date(2026, 3, 2)
    for number in range(HISTORY, HISTORY + NIGHTS):
        days[number], seen = injected(days[number], texts, rung, rng)
        users.append(seen)
        window = days[number - HISTORY : number + 1]
        is_found = any(row["new_topic"] <= min(LEVELS) for row in found)
        new_topic, samples = night(
            pool, window, date.fromordinal(first.toordinal() + number - HISTORY), is_found=is_found
        )
        found.append({"rung": rung, "seed": seed, "night": number - HISTORY + 1, "users": seen, "new_topic": new_topic,
                      "two_sample": samples, "oracle": oracle(users, window)})  # fmt: skip
    return found


def rates(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each rung and level the share of months found on the first night, and by the third."""
    table = []
    for rung in RUNGS:
        seeds = sorted({row["seed"] for row in found if row["rung"] == rung})
        for level in LEVELS:
            line: dict[str, Any] = {"rung": rung, "level": level, "months": len(seeds)}
            for test in ("new_topic", "two_sample", "oracle"):
                for nights in (1, NIGHTS):
                    hits = [any(row[test] <= level for row in found if row["rung"] == rung and row["seed"] == seed
                                and row["night"] <= nights) for seed in seeds]  # fmt: skip
                    line[f"{test}_{nights}"] = sum(hits) / max(len(hits), 1)
            table.append(line)
    return table


def main(months: int = 10, seed: int = 1, path: Path | None = None) -> None:
    """Print the rates, and write every night of every month to `path` where one is given."""
    started, pool = time.monotonic(), load(SHARED)
    found: list[dict[str, Any]] = []
    for number in range(months):
        for rung in RUNGS:
            found += trial(pool, rung, 1000 * seed + number)
        if time.monotonic() - started > BUDGET_S:
            print(f"stopped after {number + 1} of {months} months: {BUDGET_S} s are over")
            break
    table = rates(found)
    stated = {"texts": len(pool.vectors), "calls_a_day": CALLS, "history_days": HISTORY, "nights": NIGHTS,
              "users": USERS, "wander": WANDER, "weekend": WEEKEND, "own_share": OWN_SHARE,
              "spans": novelty.SPANS}  # fmt: skip
    if path:
        path.write_text(json.dumps({"stated": stated, "rates": table, "nights": found}, indent=1), encoding="utf-8")
    print(f"{len(pool.vectors):,} texts, about {CALLS} calls a day; share of months found within one | three nights")
    print(f"{'injected':>9} {'p <=':>9} {'months':>7} {'new topic':>13} {'two-sample':>13} {'oracle':>13}")
    for line in table:
        cells = " ".join(f"{line[f'{test}_1']:>6.2f}|{line[f'{test}_{NIGHTS}']:<6.2f}"
                         for test in ("new_topic", "two_sample", "oracle"))  # fmt: skip
        print(f"{line['rung']:>9.1%} {line['level']:>9.2g} {line['months']:>7} {cells}")
    print(f"in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    with threadpool_limits(1):
        main(*(int(number) for number in sys.argv[1:3]), *(Path(place) for place in sys.argv[3:]))

"""A world with what the first one lacks, and the incidents that are told in both.

    python -m tests.bench.detection.harder [--seeds 20] [--worlds 100]

prints the false incidents in 30 nights of the first world and of one with levels that wander slowly, growth, heavy
tails, a heavy user who comes and goes, weekends without calls and holidays (`world.HARDER`); and there, on which night
a roll-out to 5, 20, 50 and 100 % of a route's calls is found, and whether two causes of one night are two incidents.
Then, for each kind of change at 20 % of calls on one night, in how many incidents it is told, and how often the cause
is named rightly: what moved for what the log does not explain, the model for models.
The number of calls on holidays is no false alarm, because there are fewer.
"""

import argparse
import json
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

import numpy as np

from flows.config.threshold_table import thresholds
from flows.incidents import Given, incident_table
from flows.stats.noise import Daily
from tests.bench.detection.injections import KINDS, inject
from tests.bench.detection.night import RISK, WINDOW, Verdicts, verdicts
from tests.bench.detection.sums import CALLS, PROFILE, Key, series, with_days
from tests.bench.detection.trials import INJECTED, NIGHTS, over
from tests.bench.detection.world import HARDER, Setting, World, simulate

START = date(2026, 1, 5)  # a Monday
STAGES = (0.05, 0.2, 0.5, 1.0)
ROLL_OUT = range(INJECTED, INJECTED + len(STAGES))
TWO, SIZE = ("model swapped, silent", "lower case"), 0.2
# What an incident may be told to be. The world has one model, m: answers that change may be another one's.
RIGHT = {"input": ("inputs",), "output": ("outputs", "m"), "pair": ("model other",)}
Told = list[tuple[int, str]]


def told(world: World, keys: list[Key], daily: Daily, days: range) -> Told:
    """The incidents that begin on these nights: the night, and the kind of cause."""
    found = {day: verdicts(keys, daily, world, day) for day in days}
    rows = [row for day, night in found.items() for row in _breaches(world, keys, day, night)]
    with np.errstate(invalid="ignore"):
        means = daily.total / daily.n
    values = [
        {**_place(key), "day": START + timedelta(days=day), "value": float(means[n, day])}
        for n, key in enumerate(keys[: len(means)])
        if any(row["feature"] == key.feature for row in rows)
        for day in range(days.stop)
        if np.isfinite(means[n, day])
    ]
    usage = [
        {
            "day": START + timedelta(days=day),
            "route": f"{key.route}",
            "model_served": "m",
            "calls": int(daily.n[n, day]),
        }
        for n, key in enumerate(keys[:5])
        for day in range(days.stop)
        if daily.n[n, day]
    ]
    nothing: list[dict[str, object]] = []
    given = Given.read(
        breaches=rows, usage=usage, values=values, evaluated=nothing, canned=nothing, failing=nothing,
        features=nothing, window_days=WINDOW,
    )  # fmt: skip
    incidents = [row for row in incident_table(given).to_pylist() if row["subject"] is None and row["state"] == "open"]
    return [((row["day"] - START).days, str(row["cause"] or row["cause_kind"])) for row in incidents]


def _place(key: Key) -> dict[str, str]:
    return {"route": f"{key.route}", "side": key.side, "feature": key.feature}


def _breaches(world: World, keys: Sequence[Key], day: int, night: Verdicts) -> list[dict[str, object]]:
    begins = night.breaches(thresholds(RISK)["max_q_value"])
    rows: list[dict[str, object]] = []
    for n in np.flatnonzero(begins | night.is_open):
        key = keys[n]
        if key.feature == CALLS and day in world.setting.holidays:
            continue
        kind = {CALLS: "volume", PROFILE: PROFILE}.get(key.feature, "topic" if "topic:" in key.feature else "drift")
        before, now = (None if np.isnan(value) else float(value) for value in night.values[:, n])
        evidence = {**_place(key), "value_expected": before, "value_current": now, "p_value": float(night.p_value[n])}
        rows.append(
            {
                "day": START + timedelta(days=day),
                "kind": kind,
                "subject": f"{key.route}/{key.side}/{key.feature}",
                **{"severity": "warning", "need": "usefulness", "about": "traffic", "rank": 1, "mute": None},
                "is_start": bool(begins[n]),
                "summary": key.feature,
                "feature": key.feature,
                "evidence_json": json.dumps(evidence | {"window_nights": int(night.nights[n])}),
            }
        )
    return rows


def quiet(seed: int, setting: Setting) -> Told:
    """Sixty nights on which nothing happens."""
    world = simulate(seed, NIGHTS, setting)
    keys, daily = series(world)
    return told(world, keys, daily, range(1, NIGHTS))


def rolled_out(seed: int) -> Told:
    """Another model answers a part of the calls under the same name, a larger one each night."""
    world = simulate(seed, ROLL_OUT.stop, HARDER)
    keys, daily = series(world)
    for day, size in zip(ROLL_OUT, STAGES, strict=True):
        world = inject(world, KINDS[TWO[0]], range(day, day + 1), size, seed)
    return told(world, keys, with_days(world, daily, ROLL_OUT), ROLL_OUT)


def twice(seed: int) -> Told:
    """Two things happen on one night and route."""
    night = range(INJECTED, INJECTED + 1)
    world = simulate(seed, night.stop, HARDER)
    keys, daily = series(world)
    for kind in TWO:
        world = inject(world, KINDS[kind], night, SIZE, seed)
    return told(world, keys, with_days(world, daily, night), night)


def once(seed: int, kind: str) -> Told:
    """One thing happens on one night."""
    night = range(INJECTED, INJECTED + 1)
    world = simulate(seed, night.stop, HARDER)
    keys, daily = series(world)
    world = inject(world, KINDS[kind], night, SIZE, seed)
    return told(world, keys, with_days(world, daily, night), night)


def _right(kind: str, one: Told) -> bool:
    side = KINDS[kind].series[0]
    return one[0][1] in (("m",) if kind.startswith("model swapped, silent") else RIGHT[side])


def main() -> None:
    """Run the trials and print what was told."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="quiet worlds of 60 days")
    parser.add_argument("--worlds", type=int, default=100, help="worlds in which something happens")
    given = parser.parse_args()
    for name, setting in (("first", Setting()), ("harder", HARDER)):
        found = over(partial(quiet, setting=setting), range(given.seeds))
        rate = 30 / (NIGHTS - 1)
        early = np.mean([sum(day < WINDOW for day, _ in one) for one in found])
        print(
            f"{name} world, {given.seeds} times {NIGHTS} days: {rate * np.mean([len(one) for one in found]):.2f} false"
        )
        print(f"  incidents in 30 nights, {rate * early:.2f} of them in the first {WINDOW} nights", flush=True)
    seeds = range(1000, 1000 + given.worlds)
    found = over(rolled_out, seeds)
    print(f"Roll-out to {STAGES}, {given.worlds} trials: found by night")
    print(
        "  " + " / ".join(f"{np.mean([any(day <= last for day, _ in one) for one in found]):.2f}" for last in ROLL_OUT)
    )
    print(f"  incidents: {np.mean([len(one) for one in found]):.2f}")
    found = over(twice, seeds)
    counts = [len(one) for one in found]
    print(f"{TWO} in {SIZE:.0%} of the calls of one night, {given.worlds} trials: incidents")
    print("  " + ", ".join(f"{n}: {np.mean([count == n for count in counts]):.2f}" for n in sorted(set(counts))))
    for kind in KINDS:
        found = [one for one in over(partial(once, kind=kind), range(2000, 2000 + given.worlds)) if one]
        single = np.mean([len(one) == 1 for one in found]) if found else float("nan")
        right = np.mean([_right(kind, one) for one in found]) if found else float("nan")
        print(
            f"{kind}, {SIZE:.0%}, {given.worlds} trials: told in {len(found)}, as one incident {single:.2f},"
            f" named rightly {right:.2f}"
        )


if __name__ == "__main__":
    main()

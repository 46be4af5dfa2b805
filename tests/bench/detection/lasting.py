"""Changes that last: on which night of a week they are found.

    python -m tests.bench.detection.lasting [--worlds 200]

prints how often each kind and size of change that begins on night 45 and stays is found by its first, third and seventh
night; and the same of a value that shifts by a tenth of its standard deviation on a route of 500 calls a night, where
nothing wanders and callers are alike, and what wander and callers take from that.
"""

import argparse
from collections.abc import Iterable
from functools import partial

import numpy as np

from flows.config.threshold_table import thresholds
from tests.bench.detection.injections import KINDS, ROUTE, SIZES, Injection, inject
from tests.bench.detection.night import RISK, verdicts
from tests.bench.detection.sums import series, with_days
from tests.bench.detection.trials import INJECTED, over, smallest
from tests.bench.detection.world import ROUTES, Setting, World, simulate

WEEK = range(INJECTED, INJECTED + 7)
SHOWN = (1, 3, 7)
SHIFT, CALLS = 0.1, 500
_ALIKE = Setting(calls=round(CALLS / ROUTES[ROUTE]), wander=0.0, topic_wander=0.0, leaning=0.0)
SETTINGS = {
    "no wander, callers alike": _ALIKE,
    "no wander": Setting(calls=_ALIKE.calls, wander=0.0, topic_wander=0.0),
    "wander of 0.03": Setting(calls=_ALIKE.calls, wander=0.03),
    "wander of 0.06, as above": Setting(calls=_ALIKE.calls),
}


def shifted(world: World, calls: np.ndarray, size: float, rng: np.random.Generator) -> None:
    """Outputs' lengths on their logarithmic scale, by `size` of their standard deviation."""
    key = ("output", "characters")
    values = world.numbers[key].copy()
    values[calls] += size * values[world.route == ROUTE].std()
    world.numbers[key] = values


def lasting(seed: int, kinds: dict[str, Injection], sizes: Iterable[float], setting: Setting) -> dict[str, np.ndarray]:
    """The smallest q-value of a large change on the route by kind, (sizes, nights)."""
    world = simulate(seed, WEEK.stop, setting)
    keys, daily = series(world)
    on_route = np.array([key.route == ROUTE for key in keys])
    found: dict[str, np.ndarray] = {}
    for kind, injection in kinds.items():
        of_kind = []
        for size in sizes:
            changed = inject(world, injection, WEEK, size, seed)
            sums = with_days(changed, daily, WEEK)
            nights = (verdicts(keys, sums, changed, day) for day in WEEK)
            of_kind.append([smallest(night.q_value, night.is_large & on_route) for night in nights])
        found[kind] = np.array(of_kind)
    return found


def main() -> None:
    """Run the trials and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--worlds", type=int, default=200)
    given = parser.parse_args()
    seeds = range(1000, 1000 + given.worlds)
    of_shift = {"shift": Injection(shifted, ("output", "characters"), "")}
    print(f"A value shifts by {SHIFT} standard deviations, {CALLS} calls a night: found by night {SHOWN},")
    for name, setting in SETTINGS.items():
        found = over(partial(lasting, kinds=of_shift, sizes=(SHIFT,), setting=setting), seeds)
        print(f"{name:28}" + _rates([one["shift"][0] for one in found]), flush=True)
    found = over(partial(lasting, kinds=KINDS, sizes=SIZES, setting=Setting()), seeds)
    print(f"\nFound by night {SHOWN}, in {given.worlds} trials, by size")
    print(f"{'':24}" + "".join(f"{100 * size:>18.1f} %" for size in SIZES))
    for kind in KINDS:
        cells = (_rates([one[kind][n] for one in found]) for n in range(len(SIZES)))
        print(f"{kind:24}" + "".join(f"{cell:>20}" for cell in cells))


def _rates(smallest_q: list[np.ndarray]) -> str:
    seen = np.minimum.accumulate(smallest_q, axis=1) <= thresholds(RISK)["max_q_value"]
    return " / ".join(f"{rate:.2f}" for rate in seen[:, [night - 1 for night in SHOWN]].mean(0))


if __name__ == "__main__":
    main()

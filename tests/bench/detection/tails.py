"""What is gained where a number is judged by more of its distribution than its mean.

    python -m tests.bench.detection.tails [--worlds 60]

prints how often a change of a number is found the first night, at the level of one of 255 series: by the mean alone; by
the mean and the two tails, as production does; and by the mean, the tails, and the shares beyond the quartiles and the
median.
"""

import argparse
from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from flows.config.threshold_table import thresholds
from flows.stats.noise import Daily, day_test
from flows.stats.windows import SHARES
from tests.bench.detection.injections import KINDS, ROUTE, SIZES, inject
from tests.bench.detection.night import RISK, WINDOW
from tests.bench.detection.sums import Key, series, upto, with_days
from tests.bench.detection.trials import INJECTED, NIGHT, over
from tests.bench.detection.world import World, simulate

NUMBERS = {"typos": ("input", "typo_share"), "output length": ("output", "characters")}
CUTS = (0.1, 0.9, 0.25, 0.75, 0.5)
N_TAILS = 2
LEAST, LARGEST = 0.02, 0.4
OF_MEAN = {"mean": 1.0, "tails": 0.8, "quartiles": 0.6}


def found(seed: int) -> np.ndarray:
    """Whether each change is found, (kinds, sizes, ways)."""
    world = simulate(seed, INJECTED + 1)
    keys, daily = series(world)
    level = thresholds(RISK)["max_q_value"] / 255 * SHARES[1]
    seen = []
    for kind, number in NUMBERS.items():
        for size in SIZES:
            changed = inject(world, KINDS[kind], NIGHT, size, seed)
            mean, cuts = _p_values(changed, with_days(changed, daily, NIGHT), keys, number)
            more = 1 - OF_MEAN["tails"], 1 - OF_MEAN["quartiles"]
            tails = min([mean / OF_MEAN["tails"], *(cuts[:N_TAILS] / (more[0] / N_TAILS))])
            all_cuts = min([mean / OF_MEAN["quartiles"], *(cuts / (more[1] / len(CUTS)))])
            seen.append([mean < level, tails < level, all_cuts < level])
    return np.array(seen).reshape(len(NUMBERS), len(SIZES), len(OF_MEAN))


def _p_values(world: World, daily: Daily, keys: list[Key], number: tuple[str, str]) -> tuple[float, np.ndarray]:
    """Of the mean, and of the shares beyond `CUTS` of the past (1 where such a share is too small or too large)."""
    keys = keys[: len(daily.n)]
    place = next(n for n, key in enumerate(keys) if (key.route, key.side, key.feature) == (ROUTE, *number))
    window = upto(daily, INJECTED, WINDOW)
    sums = {field.name: [getattr(window, field.name)] for field in fields(Daily)}
    usable = []
    for n_cut, (n, total) in enumerate(_shares(world, number)):
        if LEAST <= total[:-1].sum() / n[:-1].sum() <= LARGEST:
            usable.append(n_cut)
            for name, parts in sums.items():  # as in production the clusters of these shares are unknown
                known = {"n": n, "total": total, "squares": total}
                parts.append(known.get(name, np.zeros(len(n)))[None, :])
    both = Daily(**{name: np.vstack(parts) for name, parts in sums.items()})
    is_share = np.r_[[key.is_share for key in keys], np.ones(len(usable), bool)]
    p = day_test(both, world.weekday[INJECTED - WINDOW : INJECTED + 1], is_share).p_value
    of_cuts = np.ones(len(CUTS))
    of_cuts[usable] = p[len(keys) :]
    return float(p[place]), of_cuts


def _shares(world: World, number: tuple[str, str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each cut the calls of the route by day, and those beyond it."""
    on_route = np.flatnonzero((world.route == ROUTE) & (world.day >= INJECTED - WINDOW))
    values, day = world.numbers[number][on_route], world.day[on_route] - (INJECTED - WINDOW)
    n = np.bincount(day, minlength=WINDOW + 1).astype(float)
    for cut in CUTS:
        edge = np.quantile(values[day < WINDOW], cut)
        beyond = values <= edge if cut < 0.5 else values > edge
        yield n, np.bincount(day, beyond, WINDOW + 1)


def main() -> None:
    """Run the trials and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--worlds", type=int, default=60)
    given = parser.parse_args()
    rates = np.mean(over(found, range(1000, 1000 + given.worlds)), axis=0)
    print(f"Found the first night, {given.worlds} trials: {' / '.join(OF_MEAN)}")
    for kind, of_kind in zip(NUMBERS, rates, strict=True):
        cells = (
            f"{100 * size:g} %: {' / '.join(f'{rate:.2f}' for rate in of_size)}"
            for size, of_size in zip(SIZES, of_kind, strict=True)
        )
        print(f"{kind}: " + ", ".join(cells))


if __name__ == "__main__":
    main()

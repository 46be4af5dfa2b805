"""False alarms per month, and the probability of detecting a change of a given size on the first night.

    python -m tests.bench.detection.run [--seeds 20] [--worlds 200] [--picture PLACE] [--no-peers]

prints, of simulated days whose noise is known (`world.py` states it): the nights with a false alarm in 30 where nothing
happens, beside what Evidently and NannyML say of the same days by their defaults; how often each kind and size of
change is seen the first night, beside an oracle that tests the one series with its true noise; the smallest size that
is seen in 90 % of the trials. Two oracles are shown: one with as many false alarms for its one series as genchi has for
all of them, and one with the rate of a single series of genchi. The peers' detections are compared with those of
genchi's p-values at the peer's false alarm rate.
"""

import argparse
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np

from flows.config.threshold_table import thresholds
from tests.bench.detection import peers
from tests.bench.detection.injections import KINDS, ROUTE, SIZES, inject
from tests.bench.detection.night import RISK, WINDOW
from tests.bench.detection.oracle import sees
from tests.bench.detection.picture import operating_curve
from tests.bench.detection.trials import INJECTED, NIGHT, NIGHTS, Injected, Quiet, injected, over, quiet
from tests.bench.detection.world import ROUTES, simulate
from tests.bench.peers import environment

CURVE = (0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1)
SHOWN = {"object to list": 2, "lower case": 4, "output length": 5, "typos": 4, "JSON validity": 2,
         "model swapped, named": 0, "model swapped, silent": 3}  # fmt: skip
PEER_TRIALS = 8
PEER_SEEDS = range(1000, 1000 + PEER_TRIALS)
QUIET_FOR_NANNYML = 2


def main() -> None:
    """Run the trials and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="quiet worlds of 60 days")
    parser.add_argument("--worlds", type=int, default=200, help="worlds in which something happens")
    parser.add_argument("--picture", type=Path, help="where to put the operating curve, an SVG")
    parser.add_argument("--no-peers", action="store_true", help="without Evidently and NannyML")
    given = parser.parse_args()
    calm = over(quiet, range(given.seeds))
    shipped = thresholds(RISK)["max_q_value"]
    alarms = [_alert_nights(calm, q) for q in CURVE]
    _print_quiet(calm, given.seeds)
    trials = over(injected, range(1000, 1000 + given.worlds))
    _print_injected(trials, calm[0].n_series)
    if given.picture:
        curves = {
            f"{kind}, {100 * SIZES[size]:g} %": [_seen(trials, kind, q)[size] for q in CURVE]
            for kind, size in SHOWN.items()
        }
        title = f"Seen the first night ({given.worlds} trials), by how often it cries for nothing"
        given.picture.write_text(operating_curve(alarms, curves, _alert_nights(calm, shipped), title), encoding="utf-8")
    if not given.no_peers:
        _print_peers(given.seeds, calm, trials)


def _alert_nights(calm: list[Quiet], q: float) -> float:
    """Nights in 30 on which some series would breach."""
    return float(np.mean([np.array(world.smallest_q) <= q for world in calm])) * 30


def _print_quiet(calm: list[Quiet], seeds: int) -> None:
    nights = np.mean([np.array(world.alerts) > 0 for world in calm]) * 30
    breaches = np.mean([np.array(world.alerts) for world in calm]) * 30
    print(f"Nothing happens: {seeds} worlds of {NIGHTS} days, {calm[0].n_series} series a night")
    print(f"  genchi: a new breach on {nights:.2f} nights in 30, {breaches:.2f} breaches")
    print("  by max_q_value: " + ", ".join(f"{q:g}: {_alert_nights(calm, q):.2f}" for q in CURVE))


def _seen(trials: list[Injected], kind: str, q: float) -> np.ndarray:
    return np.mean([np.array(trial.smallest_q[kind]) <= q for trial in trials], axis=0)


def _print_injected(trials: list[Injected], n_series: int) -> None:
    shipped = thresholds(RISK)["max_q_value"]
    print(f"\nSeen the first night, in {len(trials)} trials: genchi / oracle at one alarm in 30 nights / oracle at the")
    print(f"rate of one of {n_series} series")
    print(f"{'':24}" + "".join(f"{100 * size:>18.1f} %" for size in SIZES) + "   seen in 90 % from")
    for kind in KINDS:
        ours = _seen(trials, kind, shipped)
        z = np.array([trial.oracle_z[kind] for trial in trials])
        alone, in_family = (sees(z, alarms).mean(0) for alarms in (1 / 30, 1 / 30 / n_series))
        cells = [f"{a:.2f} / {b:.2f} / {c:.2f}" for a, b, c in zip(ours, alone, in_family, strict=True)]
        sure = [size for size, rate in zip(SIZES, ours, strict=True) if rate >= 0.9]
        print(f"{kind:24}" + "".join(f"{cell:>20}" for cell in cells) + (f"   {100 * sure[0]:g} %" if sure else "   -"))


def _print_peers(seeds: int, calm: list[Quiet], trials: list[Injected]) -> None:
    """Evidently on one night of the quiet worlds, NannyML on all after the first 28 of two; both on some trials."""
    found = np.array(over(_evidently_quiet, range(seeds)))
    print(f"\nThe peers, by their defaults, route by route. Evidently, {len(found)} quiet nights: a column drifts on")
    print(f"  {30 * np.mean(found > 0):.1f} nights in 30, {found.mean():.1f} columns a night")
    with tempfile.TemporaryDirectory() as folder:
        python = environment("nannyml", Path(folder))
        of_nannyml = _print_nannyml_quiet(Path(folder) / "quiet", python)
        by_nannyml = _nannyml_sees(Path(folder) / "trials", python)
    as_evidently, as_nannyml = (_p_that_cries(calm, columns) for columns in (found.mean(), of_nannyml))
    print(
        f"\nA column of the route alerts that does not without the change: Evidently ({PEER_TRIALS} trials), genchi's"
    )
    print(f"p-values at Evidently's rate of columns a night ({len(trials)} trials), NannyML, genchi at NannyML's")
    for kind in KINDS:
        by_evidently = np.mean(over(partial(_evidently_sees, kind), PEER_SEEDS), axis=0)
        ours = (_sees_at(trials, kind, p) for p in (as_evidently, as_nannyml))
        columns = zip(by_evidently, next(ours), by_nannyml[kind], next(ours), strict=True)
        print(f"{kind:24}" + "".join(f"{' / '.join(f'{rate:.2f}' for rate in cell):>26}" for cell in columns))


def _p_that_cries(calm: list[Quiet], columns: float) -> float:
    """The p-value below which so many series lie in a quiet night, on average."""
    p_values = np.concatenate([world.p_values for world in calm])
    return float(np.sort(p_values[np.isfinite(p_values)])[int(columns * len(p_values))])


def _sees_at(trials: list[Injected], kind: str, p: float) -> np.ndarray:
    """How often a series of the route lies below `p` that does not without the change, by size."""
    return np.mean([((one.p_after[kind] < p) & ~(one.p_before < p)).any(1) for one in trials], axis=0)


def _evidently_quiet(seed: int) -> int:
    return len(peers.evidently(simulate(seed, INJECTED + 1), INJECTED, tuple(range(len(ROUTES)))))


def _evidently_sees(kind: str, seed: int) -> list[bool]:
    """Whether a column of the route drifts with the change that does not without it, by size."""
    world = simulate(seed, INJECTED + 1)
    before = set(peers.evidently(world, INJECTED))
    changed = [inject(world, KINDS[kind], NIGHT, size, seed) for size in SIZES]
    return [bool(set(peers.evidently(other, INJECTED)) - before) for other in changed]


def _print_nannyml_quiet(folder: Path, python: Path) -> float:
    """Its columns a night."""
    folder.mkdir()
    for seed in range(QUIET_FOR_NANNYML):
        world = simulate(seed, NIGHTS)
        for route in range(len(ROUTES)):
            peers.hand_to_nannyml(world, route, folder / f"{seed}.{route}", 0, NIGHTS - 1)
    counts: Counter[tuple[str, str]] = Counter()
    for name, days in peers.nannyml(folder, python).items():
        for day, columns in days.items():
            counts[name.split(".")[0], day] += len(columns)
    found = np.array(list(counts.values()))
    print(f"  NannyML, {len(found)} quiet nights of {QUIET_FOR_NANNYML} worlds: a column alerts on")
    print(f"  {30 * np.mean(found > 0):.1f} nights in 30, {found.mean():.1f} columns a night")
    return float(found.mean())


def _nannyml_sees(folder: Path, python: Path) -> dict[str, np.ndarray]:
    """As `_evidently_sees`, of all kinds: the mean over the trials, by size."""
    folder.mkdir()
    first = INJECTED - WINDOW
    for seed in PEER_SEEDS:
        world = simulate(seed, INJECTED + 1)
        peers.hand_to_nannyml(world, ROUTE, folder / f"{seed}", first, INJECTED)
        for kind, injection in KINDS.items():
            for size in SIZES:
                changed = inject(world, injection, NIGHT, size, seed)
                peers.hand_to_nannyml(changed, ROUTE, folder / f"{seed}_{kind}_{size}", first, INJECTED)
    said = {name: {column for columns in days.values() for column in columns}
            for name, days in peers.nannyml(folder, python).items()}  # fmt: skip
    return {
        kind: np.array(
            [np.mean([bool(said[f"{seed}_{kind}_{size}"] - said[f"{seed}"]) for seed in PEER_SEEDS]) for size in SIZES]
        )
        for kind in KINDS
    }


if __name__ == "__main__":
    main()

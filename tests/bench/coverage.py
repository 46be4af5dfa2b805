"""Coverage of 95 % intervals over a grid of typical evaluations.

    python -m tests.bench.coverage [trials]

Binary: n examples, asked 1 to 5 times. Each example has one true answer to each arm; an answer is it with the
probability sqrt(agreement), and is else drawn again at the arm's pass rate, so that agreement is the correlation of two
repeats. The pass rates are those under which single answers of the two arms differ in `discordance` of the pairs, and
the true delta is -`lean` times that: 0, half, or all of the discordance in one direction. Sparse are the cells in
which fewer than five discordant pairs are expected. Continuous: differences of scores, of several shapes. The method
that genchi had before (Agresti and Min's pseudo examples with Student's t) is measured on the same draws.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import sqrt

import numpy as np
from scipy.special import stdtrit
from scipy.stats import binom

from flows.stats.proportions import intervals
from flows.stats.score_interval import Array, interval

SIZES, REPEATS, AGREEMENTS = (30, 100, 1000), (1, 2, 3, 4, 5), (0.0, 0.25, 0.5, 0.75, 1.0)
SIZES_OF_SCORES = (5, 10, 30, 100, 1000)
DISCORDANCES, LEANS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5), (0.0, 0.5, 1.0)
PASS_RATES = (0.02, 0.1, 0.3, 0.5, 0.8, 0.95, 0.99)
SPARSE = 5.0
Ends = tuple[Array, Array]


@dataclass(frozen=True)
class Cell:
    """One cell of the grid and how often it was covered. `expected` discordant pairs, or passes or failures."""

    name: str
    expected: float
    covered: float


def main(trials: int = 4000) -> None:
    """Print the summaries."""
    rng = np.random.default_rng(20)
    methods = {"score interval": score_ends, "Agresti-Min, t": _agresti_min}
    found = list(differences_of_pass_fail(rng, trials, methods))
    for name in methods:
        _tell(f"difference of pass/fail, {name}", [cells[name] for cells in found])
    large = list(differences_of_pass_fail(rng, max(trials // 8, 1), methods, sizes=(30_000,), repeats=(1, 5)))
    _tell("the same, n = 30,000", [cells["score interval"] for cells in large])
    shaped = list(differences_of_scores(rng, trials, methods))
    for name in methods:
        _tell(f"difference of scores, {name}", [cells[name] for cells in shaped])
    _tell("pass rate", list(pass_rates(rng, trials)))


def differences_of_pass_fail(
    rng: np.random.Generator,
    trials: int,
    methods: dict[str, Callable[[Array, bool], Ends]],
    *,
    sizes: Sequence[int] = SIZES,
    repeats: Sequence[int] = REPEATS,
) -> Iterator[dict[str, Cell]]:
    """The whole grid, cell by cell: what each method covered."""
    for n, asked, agreement, discordance, lean in product(sizes, repeats, AGREEMENTS, DISCORDANCES, LEANS):
        delta = -lean * discordance
        # old + new - 2 old new = discordance, and new = old + delta
        old = ((1 - delta) + sqrt(max(1 + delta**2 - 2 * discordance, 0.0))) / 2
        chances = np.convolve(passes(asked, agreement, old + delta), passes(asked, agreement, old)[::-1])
        drawn = draw(rng, chances, np.linspace(-1, 1, 2 * asked + 1), trials, n)
        name = f"n={n} repeats={asked} agreement={agreement} discordance={discordance} delta={delta:+.3f}"
        yield _cells(drawn, delta, name, n * discordance, methods, is_binary=True)


def passes(asked: int, agreement: float, rate: float) -> Array:
    """The probabilities of 0 to `asked` passes of an example, (asked + 1,)."""
    copied = sqrt(agreement)
    rate = min(max(rate, 0.0), 1.0)
    counts = np.arange(asked + 1)
    of_good = binom.pmf(counts, asked, copied + (1 - copied) * rate)
    found: Array = rate * of_good + (1 - rate) * binom.pmf(counts, asked, (1 - copied) * rate)
    return found


def draw(rng: np.random.Generator, chances: Array, values: Array, trials: int, n: int) -> Array:
    """Samples of n independent draws from the values with their chances, (trials, n), in the order of the values."""
    counts = rng.multinomial(n, chances / chances.sum(), size=trials)
    return np.repeat(np.tile(values, trials), counts.ravel()).reshape(trials, n)


def differences_of_scores(
    rng: np.random.Generator,
    trials: int,
    methods: dict[str, Callable[[Array, bool], Ends]],
    *,
    sizes: Sequence[int] = SIZES_OF_SCORES,
) -> Iterator[dict[str, Cell]]:
    """Differences of scores from 0 to 1, with a known mean: of the shapes below."""
    for n in sizes:
        for name, drawn, delta, expected in (*_even(rng, (trials, n)), *_skewed(rng, (trials, n))):
            named = f"n={n} {name} delta={delta:+.3f}"
            yield _cells(drawn, delta, named, expected, methods, is_binary=False)


Shape = tuple[str, Array, float, float]


def _even(rng: np.random.Generator, at: tuple[int, int]) -> Iterator[Shape]:
    """Small and even, shifted, all equal, one-sided, and of five grades; some of them of two arms near the top."""
    n = at[1]
    yield "normal, sd 0.02", rng.normal(0, 0.02, at), 0.0, n
    yield "normal, sd 0.2, shifted by 0.1", np.clip(rng.normal(-0.1, 0.2, at), -1, 1), -0.1, n
    yield "nearly constant, 0.4 to 0.6", rng.uniform(0.4, 0.6, at), 0.5, n
    yield "one-sided, exponential of mean 0.05", -np.minimum(rng.exponential(0.05, at), 1), -0.05, n
    grades, old, new = np.linspace(0, 1, 5), [0.01, 0.02, 0.07, 0.1, 0.8], [0.02, 0.03, 0.1, 0.15, 0.7]
    graded = rng.choice(grades, at, p=new) - rng.choice(grades, at, p=old)
    yield "five grades, mostly the best", graded, float(grades @ new - grades @ old), n
    yield "two arms near 1", rng.beta(3, 1, at) - rng.beta(20, 1, at), 3 / 4 - 20 / 21, n
    zero = rng.random(at) < 0.1
    yield "good, or nothing", np.where(zero, 0, 1 - rng.uniform(0, 0.1, at)) - 0.95, 0.9 * 0.95 - 0.95, 0.1 * n


def _skewed(rng: np.random.Generator, at: tuple[int, int]) -> Iterator[Shape]:
    """A share of the examples moves far, in either direction or down only; the others are tied, or differ a little."""
    for share, lean in product((0.02, 0.05, 0.1, 0.3), (0.0, 1.0)):
        signs = np.where(rng.random(at) < (1 + lean) / 2, -1.0, 1.0)
        moves, expected = rng.random(at) < share, at[1] * share
        yield (
            f"{share:.0%} moved by up to 1",
            np.where(moves, signs * rng.uniform(0, 1, at), 0.0),
            -lean * share / 2,
            expected,
        )
        for name, rest in (
            ("tied", np.zeros(at)),
            ("within 0.02", rng.normal(0, 0.02, at)),
            ("of steps", rng.choice([-0.1, 0, 0.1], at)),
        ):
            yield (
                f"{share:.0%} moved by 0.9, the others {name}",
                np.where(moves, 0.9 * signs, rest),
                -lean * share * 0.9,
                expected,
            )


def pass_rates(rng: np.random.Generator, trials: int) -> Iterator[Cell]:
    """One model's pass rate. Sparse are the cells in which fewer than five passes, or failures, are expected."""
    for n, asked, agreement, rate in product(SIZES, REPEATS, AGREEMENTS, PASS_RATES):
        means = draw(rng, passes(asked, agreement, rate), np.linspace(0, 1, asked + 1), trials, n)
        low, high = intervals(means, n * asked)
        name = f"n={n} repeats={asked} agreement={agreement} rate={rate}"
        yield Cell(name, n * min(rate, 1 - rate), _share(low, high, rate))


def _cells(
    drawn: Array,
    delta: float,
    name: str,
    expected: float,
    methods: dict[str, Callable[[Array, bool], Ends]],
    *,
    is_binary: bool,
) -> dict[str, Cell]:
    return {method: Cell(name, expected, _share(*ends(drawn, is_binary), delta)) for method, ends in methods.items()}


def score_ends(drawn: Array, is_binary: bool) -> Ends:
    """The ends of genchi's intervals."""
    found = interval(drawn, is_binary=is_binary)
    return found.low, found.high


def _agresti_min(drawn: Array, is_binary: bool) -> Ends:
    del is_binary
    n = drawn.shape[-1]
    centre = drawn.sum(-1) / (n + 2)
    error = np.sqrt((((drawn**2).sum(-1) + 1) / (n + 2) - centre**2) / (n + 2))
    half = stdtrit(n - 1, 0.975) * error
    return centre - half, centre + half


def _share(low: Array, high: Array, truth: float) -> float:
    return float(((low <= truth + 1e-9) & (truth - 1e-9 <= high)).mean())


def _tell(title: str, cells: Sequence[Cell]) -> None:
    covered = np.array([cell.covered for cell in cells])
    is_sparse = np.array([cell.expected < SPARSE for cell in cells])
    print(f"{title}: {len(cells)} cells, mean {covered.mean():.2%}, least {covered.min():.2%}", end="")
    print(f", {np.count_nonzero(covered < 0.92)} below 92 %")
    for name, part in (("sparse", covered[is_sparse]), ("others", covered[~is_sparse])):
        if len(part):
            print(f"  {name}: {len(part)} cells, mean {part.mean():.2%}, least {part.min():.2%}")
    for place in covered.argsort()[:3]:
        print(f"    {covered[place]:.2%}  {cells[place].name}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

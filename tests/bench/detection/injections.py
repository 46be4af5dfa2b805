"""What can happen to one route on one night, at a size: the share of its calls, or of the length, that changes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tests.bench.detection.world import World

SIZES = (0.005, 0.01, 0.02, 0.05, 0.10, 0.20)
ROUTE = 2  # 20 % of the calls: a thousand a day


@dataclass(frozen=True)
class Injection:
    """A change and the series (side, feature) on which the oracle looks for it."""

    change: Callable[[World, np.ndarray, float, np.random.Generator], None]
    series: tuple[str, str]
    words: str


def inject(world: World, injection: Injection, days: range, size: float, seed: int) -> World:
    """The world with the change on `days` alone; what is not changed is shared with the original."""
    rng = np.random.default_rng((seed, 7))
    changed = replace(world, flags=dict(world.flags), numbers=dict(world.numbers))
    calls = np.flatnonzero(np.isin(world.day, days) & (world.route == ROUTE))
    injection.change(changed, calls, size, rng)
    return changed


def _some(calls: np.ndarray, size: float, rng: np.random.Generator) -> np.ndarray:
    return calls[rng.random(len(calls)) < size]


def _set(world: World, key: tuple[str, str], calls: np.ndarray, value: object) -> None:
    store = world.flags if key in world.flags else world.numbers
    store[key] = store[key].copy()
    store[key][calls] = value


def object_to_list(world: World, calls: np.ndarray, size: float, rng: np.random.Generator) -> None:
    chosen = _some(calls, size, rng)
    chosen = chosen[world.flags["output", "json_is_object"][chosen]]
    _set(world, ("output", "json_is_object"), chosen, False)
    _set(world, ("output", "json_is_list"), chosen, True)


def lower_case(world: World, calls: np.ndarray, size: float, rng: np.random.Generator) -> None:
    chosen = _some(calls, size, rng)
    _set(world, ("input", "lower_case"), chosen, True)
    _set(world, ("input", "all_caps"), chosen, False)


def longer(world: World, calls: np.ndarray, size: float, rng: np.random.Generator) -> None:
    for name in ("characters", "words"):
        values = world.numbers["output", name][calls]
        _set(world, ("output", name), calls, np.log1p(np.round(np.expm1(values) * (1 + size))))


def typos(world: World, calls: np.ndarray, size: float, rng: np.random.Generator) -> None:
    chosen = _some(calls, size, rng)
    values = world.numbers["input", "typo_share"][chosen]
    _set(world, ("input", "typo_share"), chosen, np.minimum(values + 0.2, 1.0))


def invalid_json(world: World, calls: np.ndarray, size: float, rng: np.random.Generator) -> None:
    chosen = _some(calls, size, rng)
    _set(world, ("output", "json_is_object"), chosen, False)
    _set(world, ("output", "json_is_list"), chosen, False)
    _set(world, ("output", "json_valid"), chosen, False)
    _set(world, ("output", "json_is_none"), chosen, True)


def silent_swap(world: World, calls: np.ndarray, size: float, rng: np.random.Generator) -> None:
    """The other model fences 60 % of its answers, uses markdown in half of them, and is a quarter longer."""
    chosen = _some(calls, size, rng)
    _set(world, ("output", "code_fence"), chosen, rng.random(len(chosen)) < 0.6)
    _set(world, ("output", "markdown"), chosen, rng.random(len(chosen)) < 0.5)
    for name in ("characters", "words"):
        values = world.numbers["output", name][chosen]
        _set(world, ("output", name), chosen, np.log1p(np.round(np.expm1(values) * 1.25)))


def named_swap(world: World, calls: np.ndarray, size: float, rng: np.random.Generator) -> None:
    chosen = _some(calls, size, rng)
    _set(world, ("pair", "model:other"), chosen, True)


def like_swap(world: World, calls: np.ndarray, size: float, rng: np.random.Generator) -> None:
    """The other model is like the first, but a little other in everything: odds are 2.7 times as high or as low."""
    chosen = _some(calls, size, rng)
    flags = [key for key in world.flags if key[0] == "output" and not key[1].startswith("json")]
    for n, key in enumerate(flags):
        share = world.flags[key][calls].mean()
        odds = share / (1 - share) * (np.e if n % 2 else 1 / np.e)
        _set(world, key, chosen, rng.random(len(chosen)) < odds / (1 + odds))
    for name in ("characters", "words"):
        values = world.numbers["output", name][chosen]
        _set(world, ("output", name), chosen, np.log1p(np.round(np.expm1(values) * 1.25)))


KINDS = {
    "object to list": Injection(object_to_list, ("output", "json_is_list"), "share of outputs that turn into lists"),
    "lower case": Injection(lower_case, ("input", "lower_case"), "share of inputs that lose their capitals"),
    "output length": Injection(longer, ("output", "characters"), "outputs that much longer"),
    "typos": Injection(typos, ("input", "typo_share"), "share of inputs with one word in five misspelt"),
    "JSON validity": Injection(invalid_json, ("output", "json_is_none"), "share of outputs that stop being JSON"),
    "model swapped, named": Injection(named_swap, ("pair", "model:other"), "share of calls, the log says so"),
    "model swapped, silent": Injection(silent_swap, ("output", "code_fence"), "share of calls, the name unchanged"),
    "swapped for one alike": Injection(
        like_swap, ("output", "markdown"), "share of calls, a little other in everything"
    ),
}

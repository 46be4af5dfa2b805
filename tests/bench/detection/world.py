"""A simulated application whose true noise is known: 5 routes, 40 features and the topics of each, call by call.

Its base rates, its wander and its design effect are what this file says; `describe` prints what they come to.

- Volume: 5,000 calls a day on average, on routes that have 35, 25, 20, 12 and 8 % of them; a weekend day has 60 % of a
  working day's.
- Users: 3,000, whose activity is lognormal (sigma 1.2), so that the busiest call hundreds of times a month; a user is
  on one day active or not (half of the days), and calls in bursts then.
- Every user has a leaning of their own in every feature: normal on the odds scale, sigma 0.8 for inputs and 0.4 for
  outputs; of a number half a standard deviation of inputs, a quarter of outputs.
- Every series has a weekend effect, normal on the odds scale with sigma 0.15, and a wander from day to day: an AR(1)
  of correlation 0.4 whose sigma is lognormal around 0.06 (sigma of the logarithm 0.6), drawn for each series.
- Topics: 12 a route on inputs, of Zipf's shares, with a wander of their own of 0.1.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

ROUTES = (0.35, 0.25, 0.20, 0.12, 0.08)
CALLS, WEEKEND, USERS, ACTIVITY = 5000, 0.6, 3000, 1.2
LEANING = {"input": 0.8, "output": 0.4}
WEEKEND_EFFECT, WANDER, WANDER_SPREAD, CORRELATION = 0.15, 0.06, 0.6, 0.4
TOPICS, TOPIC_WANDER = 12, 0.1

# Flags with their share, by side; those of outputs' JSON kinds are one draw (object, list, else none).
FLAGS = {
    "input": {
        "empty": 0.001, "lower_case": 0.12, "all_caps": 0.01, "fragment": 0.3, "question": 0.45, "markdown": 0.02,
        "code_fence": 0.01, "script_latin": 0.97, "script_cyrillic": 0.01, "script_han": 0.01, "script_arabic": 0.005,
        "script_other": 0.002,
    },
    "output": {
        "empty": 0.002, "lower_case": 0.03, "all_caps": 0.002, "fragment": 0.05, "question": 0.08, "markdown": 0.15,
        "code_fence": 0.03, "refusal": 0.01, "script_latin": 0.975, "script_cyrillic": 0.01, "script_han": 0.008,
        "script_arabic": 0.005, "script_other": 0.001,
    },
    "pair": {"failed": 0.008, "truncated": 0.01, "script_kept": 0.985},
}  # fmt: skip
JSON_OBJECT, JSON_LIST = 0.965, 0.01
# Numbers on the scale of ln(1 + value): their mean and standard deviation; shares are on their own scale.
NUMBERS = {
    "input": {"characters": (4.8, 0.8), "words": (3.1, 0.8), "typo_share": (0.06, 0.08)},
    "output": {"characters": (5.6, 0.6), "words": (3.9, 0.6)},
    "pair": {"latency_ms": (7.0, 0.5), "length_ratio": (1.2, 0.7)},
}


@dataclass(frozen=True)
class Truth:
    """What a series really is, on its own scale (odds of a share): its rate on a quiet day (route, day), the sigma of
    its wander by route, and what each user leans to in units of `deviation`.
    """

    is_share: bool
    quiet: np.ndarray
    sigma: np.ndarray
    leaning: np.ndarray
    deviation: float = 1.0
    shaped: Callable[[np.ndarray], np.ndarray] = lambda values: values


@dataclass
class World:
    """Some days of calls. Arrays of calls are in the order of `day`; features are keyed by (side, name)."""

    n_days: int
    day: np.ndarray
    route: np.ndarray
    user: np.ndarray
    activity: np.ndarray
    home: np.ndarray
    flags: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    numbers: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    topic: np.ndarray = field(default_factory=lambda: np.empty(0, int))
    truths: dict[tuple[str, str], Truth] = field(default_factory=dict)

    @property
    def weekday(self) -> np.ndarray:
        return np.arange(self.n_days) % 7


def simulate(seed: int, n_days: int) -> World:
    """A world in which nothing happens. Day 0 is a Monday."""
    rng = np.random.default_rng(seed)
    world = _calls(rng, n_days)
    for side, flags in FLAGS.items():
        for name, share in flags.items():
            world.flags[side, name] = _flag(rng, world, side, name, share)
    _json(rng, world)
    for side, numbers in NUMBERS.items():
        for name, shape in numbers.items():
            world.numbers[side, name] = _number(rng, world, (side, name), shape)
    world.flags["pair", "model:other"] = np.zeros(len(world.day), bool)
    _topics(rng, world)
    return world


def _calls(rng: np.random.Generator, n_days: int) -> World:
    weekday = np.arange(n_days) % 7
    volume = np.where(weekday < 5, 1.0, WEEKEND) * CALLS / (5 + 2 * WEEKEND) * 7
    counts = rng.poisson(volume)
    activity = rng.lognormal(0, ACTIVITY, USERS)
    home = rng.choice(len(ROUTES), USERS, p=ROUTES)
    users = []
    for count in counts:
        today = activity * (rng.random(USERS) < 0.5) * rng.gamma(2.0, 0.5, USERS)
        users.append(rng.choice(USERS, count, p=today / today.sum()))
    user = np.concatenate(users)
    route = np.where(rng.random(len(user)) < 0.8, home[user], rng.choice(len(ROUTES), len(user), p=ROUTES))
    return World(n_days, np.repeat(np.arange(n_days), counts), route, user, activity, home)


def _days(rng: np.random.Generator, world: World, wander: float | None = None) -> tuple[np.ndarray, ...]:
    """What days add to a series on its scale: the weekend's part and the wander, (route, day), and sigma (route, 1)."""
    shape = (len(ROUTES), world.n_days)
    sigma = (
        WANDER * rng.lognormal(0, WANDER_SPREAD, (len(ROUTES), 1))
        if wander is None
        else np.full((len(ROUTES), 1), wander)
    )
    noise = rng.normal(0, 1, shape)
    for day in range(1, world.n_days):
        noise[:, day] = CORRELATION * noise[:, day - 1] + np.sqrt(1 - CORRELATION**2) * noise[:, day]
    weekend = rng.normal(0, WEEKEND_EFFECT, (len(ROUTES), 1)) * (world.weekday >= 5)
    return weekend, sigma * noise, sigma


def _share(rng: np.random.Generator, world: World, key: tuple[str, str], share: float, own: np.ndarray) -> np.ndarray:
    """Each call's chance of a flag."""
    weekend, wander, sigma = _days(rng, world)
    quiet = np.log(share / (1 - share)) + rng.normal(0, 0.3, (len(ROUTES), 1)) + weekend
    world.truths[key] = Truth(True, quiet, sigma[:, 0], own)
    return 1 / (1 + np.exp(-((quiet + wander)[world.route, world.day] + own[world.user])))


def _flag(rng: np.random.Generator, world: World, side: str, name: str, share: float) -> np.ndarray:
    own = rng.normal(0, LEANING.get(side, 0.4), USERS)
    return rng.random(len(world.day)) < _share(rng, world, (side, name), share, own)


def _json(rng: np.random.Generator, world: World) -> None:
    draw, own = rng.random(len(world.day)), rng.normal(0, LEANING["output"], USERS)
    list_chance = _share(rng, world, ("output", "json_is_list"), JSON_LIST, own)
    none_chance = _share(rng, world, ("output", "json_is_none"), 1 - JSON_OBJECT - JSON_LIST, own)
    is_list = draw < list_chance
    is_none = ~is_list & (draw < list_chance + none_chance)
    world.flags["output", "json_is_list"], world.flags["output", "json_is_none"] = is_list, is_none
    world.flags["output", "json_is_object"] = ~is_list & ~is_none
    world.flags["output", "json_valid"] = ~is_none


def _number(rng: np.random.Generator, world: World, key: tuple[str, str], shape: tuple[float, float]) -> np.ndarray:
    (side, name), (mean, deviation) = key, shape
    weekend, wander, sigma = _days(rng, world)
    own = rng.normal(0, LEANING.get(side, 0.4) * 0.6, USERS)
    quiet = mean + deviation * (rng.normal(0, 0.2, (len(ROUTES), 1)) + weekend)
    shaped = _twentieths if name == "typo_share" else _whole
    world.truths[side, name] = Truth(False, quiet, deviation * sigma[:, 0], own, deviation, shaped)
    rate = (quiet + deviation * wander)[world.route, world.day]
    return shaped(rate + deviation * (own[world.user] + rng.normal(0, 0.85, len(world.day))))


def _twentieths(values: np.ndarray) -> np.ndarray:
    """The share of a text's words that are misspelt: most texts have none."""
    return np.floor(np.clip(values, 0, 1) * 20) / 20


def _whole(values: np.ndarray) -> np.ndarray:
    """ln(1 + a whole number)."""
    return np.log1p(np.round(np.expm1(np.maximum(values, 0))))


def _topics(rng: np.random.Generator, world: World) -> None:
    base = np.log(1 / np.arange(1, TOPICS + 1))
    days = [sum(_days(rng, world, TOPIC_WANDER)[:2]) for _ in range(TOPICS)]
    rates = base[None, :, None] + np.stack(days, axis=1)
    own = rng.normal(0, 1.0, (USERS, TOPICS))
    scores = rates[world.route, :, world.day] + own[world.user] + rng.gumbel(size=(len(world.day), TOPICS))
    world.topic = scores.argmax(1)

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
WEEKEND, HOLIDAY, USERS, ACTIVITY = 0.6, 7, 3000, 1.2
HEAVY = 0  # the user who comes and goes
LEANING = {"input": 0.8, "output": 0.4}
WEEKEND_EFFECT, WANDER_SPREAD = 0.15, 0.6
TOPICS = 12

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
class Setting:
    """What differs from one simulated application to another.

    `calls` a day; `wander` and `topic_wander`, the sigma from day to day, with the `correlation` of one day's with the
    next; `leaning`, the factor of all users' leanings. `growth` is that of calls, by day. With `heavy_tails` numbers
    have those of Student's t with 4 degrees of freedom instead of normal ones. The `heavy_user` makes a tenth of the
    calls of its route on some runs of days and none on others, and leans three times as far as others. On `closed`
    routes nobody calls on weekends, and on `holidays` calls are a seventh, and as on weekends. `counts_calls` says
    whether the number of calls is a series.
    """

    calls: int = 5000
    wander: float = 0.06
    topic_wander: float = 0.1
    correlation: float = 0.4
    leaning: float = 1.0
    growth: float = 0.0
    heavy_tails: bool = False
    heavy_user: bool = False
    closed: tuple[int, ...] = ()
    holidays: tuple[int, ...] = ()
    counts_calls: bool = False


HARDER = Setting(
    correlation=0.8,
    growth=0.005,
    heavy_tails=True,
    heavy_user=True,
    closed=(3, 4),
    holidays=(32, 50),
    counts_calls=True,
)
"""What the first world lacks."""


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
    setting: Setting = Setting()
    flags: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    numbers: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    topic: np.ndarray = field(default_factory=lambda: np.empty(0, int))
    truths: dict[tuple[str, str], Truth] = field(default_factory=dict)

    @property
    def weekday(self) -> np.ndarray:
        return np.arange(self.n_days) % 7

    @property
    def is_weekend(self) -> np.ndarray:
        """Whether a day is like one of a weekend: holidays are."""
        return (self.weekday >= 5) | np.isin(np.arange(self.n_days), self.setting.holidays)


def simulate(seed: int, n_days: int, setting: Setting = Setting()) -> World:
    """A world in which nothing happens. Day 0 is a Monday."""
    rng = np.random.default_rng(seed)
    world = _calls(rng, n_days, setting)
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


def _calls(rng: np.random.Generator, n_days: int, setting: Setting) -> World:
    weekday = np.arange(n_days) % 7
    volume = np.where(weekday < 5, 1.0, WEEKEND) * setting.calls / (5 + 2 * WEEKEND) * 7
    volume = volume * (1 + setting.growth) ** np.arange(n_days)
    volume[[day for day in setting.holidays if day < n_days]] /= HOLIDAY
    counts = rng.poisson(volume)
    activity = rng.lognormal(0, ACTIVITY, USERS)
    home = rng.choice(len(ROUTES), USERS, p=ROUTES)
    users = []
    for count in counts:
        today = activity * (rng.random(USERS) < 0.5) * rng.gamma(2.0, 0.5, USERS)
        users.append(rng.choice(USERS, count, p=today / today.sum()))
    user = np.concatenate(users)
    route = np.where(rng.random(len(user)) < 0.8, home[user], rng.choice(len(ROUTES), len(user), p=ROUTES))
    day = np.repeat(np.arange(n_days), counts)
    if setting.heavy_user:
        runs = np.repeat(rng.random(n_days) < 0.4, 4)[:n_days]
        user[runs[day] & (route == home[HEAVY]) & (rng.random(len(user)) < 0.1)] = HEAVY
    open_ = ~(np.isin(route, setting.closed) & (weekday[day] >= 5))
    return World(n_days, day[open_], route[open_], user[open_], activity, home, setting)


def _days(rng: np.random.Generator, world: World, wander: float | None = None) -> tuple[np.ndarray, ...]:
    """What days add to a series on its scale: the weekend's part and the wander, (route, day), and sigma (route, 1)."""
    shape = (len(ROUTES), world.n_days)
    correlation = world.setting.correlation
    sigma = (
        world.setting.wander * rng.lognormal(0, WANDER_SPREAD, (len(ROUTES), 1))
        if wander is None
        else np.full((len(ROUTES), 1), wander)
    )
    noise = rng.normal(0, 1, shape)
    for day in range(1, world.n_days):
        noise[:, day] = correlation * noise[:, day - 1] + np.sqrt(1 - correlation**2) * noise[:, day]
    weekend = rng.normal(0, WEEKEND_EFFECT, (len(ROUTES), 1)) * world.is_weekend
    return weekend, sigma * noise, sigma


def _share(rng: np.random.Generator, world: World, key: tuple[str, str], share: float, own: np.ndarray) -> np.ndarray:
    """Each call's chance of a flag."""
    weekend, wander, sigma = _days(rng, world)
    quiet = np.log(share / (1 - share)) + rng.normal(0, 0.3, (len(ROUTES), 1)) + weekend
    world.truths[key] = Truth(True, quiet, sigma[:, 0], own)
    return 1 / (1 + np.exp(-((quiet + wander)[world.route, world.day] + own[world.user])))


def _flag(rng: np.random.Generator, world: World, side: str, name: str, share: float) -> np.ndarray:
    own = _leanings(rng, world, LEANING.get(side, 0.4))
    return rng.random(len(world.day)) < _share(rng, world, (side, name), share, own)


def _json(rng: np.random.Generator, world: World) -> None:
    draw, own = rng.random(len(world.day)), _leanings(rng, world, LEANING["output"])
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
    own = _leanings(rng, world, LEANING.get(side, 0.4) * 0.6)
    quiet = mean + deviation * (rng.normal(0, 0.2, (len(ROUTES), 1)) + weekend)
    shaped = _twentieths if name == "typo_share" else _whole
    world.truths[side, name] = Truth(False, quiet, deviation * sigma[:, 0], own, deviation, shaped)
    rate = (quiet + deviation * wander)[world.route, world.day]
    draws = rng.normal(0, 1, len(world.day))
    if world.setting.heavy_tails:
        draws = draws / np.sqrt(rng.chisquare(4, len(world.day)) / 2)  # of the same variance
    return shaped(rate + deviation * (own[world.user] + 0.85 * draws))


def _leanings(rng: np.random.Generator, world: World, sigma: float) -> np.ndarray:
    own = rng.normal(0, world.setting.leaning * sigma, USERS)
    own[HEAVY] *= 3 if world.setting.heavy_user else 1
    return own


def _twentieths(values: np.ndarray) -> np.ndarray:
    """The share of a text's words that are misspelt: most texts have none."""
    return np.floor(np.clip(values, 0, 1) * 20) / 20


def _whole(values: np.ndarray) -> np.ndarray:
    """ln(1 + a whole number)."""
    return np.log1p(np.round(np.expm1(np.maximum(values, 0))))


def _topics(rng: np.random.Generator, world: World) -> None:
    base = np.log(1 / np.arange(1, TOPICS + 1))
    days = [sum(_days(rng, world, world.setting.topic_wander)[:2]) for _ in range(TOPICS)]
    rates = base[None, :, None] + np.stack(days, axis=1)
    own = rng.normal(0, world.setting.leaning, (USERS, TOPICS))
    scores = rates[world.route, :, world.day] + own[world.user] + rng.gumbel(size=(len(world.day), TOPICS))
    world.topic = scores.argmax(1)

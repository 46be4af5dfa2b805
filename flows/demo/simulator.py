"""A month of a simulated support desk, call by call. Seeded: a day can be generated again, alone, and is the same.

It does not read the clock or a user's files. Days are counted backwards from the last day of logs, and a day's calls
are drawn by that count, so that a demo gives the same results whenever it is run.
"""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from random import Random

from flows.demo import customer_texts, desk
from flows.demo.incidents import LIST_OUTPUTS, LOYALTY_POINTS, MOBILE_RELEASE, OUTAGE, OUTAGE_HOURS, SWAPPED_MODEL

SEED = 7
_CALLS = (412, 416, 410, 404, 398, 372, 366)  # Monday to Sunday
_BY_HOUR = (1, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 10, 11, 12, 11, 10, 9, 8, 8, 7, 5, 3, 2)
# A few users make many calls: one call in three is from the first 70 of 1,400.
_USERS, _HEAVY_USERS, _HEAVY_SHARE = 1_400, 70, 0.33
_FAILING = 0.005
_PRICES = {desk.PINNED: (0.40, 1.60), desk.CANDIDATE: (0.15, 0.60)}  # USD per million tokens, in and out


@dataclass(frozen=True)
class User:
    """A customer. One in seven writes German, one in two with the mobile app, one in ten carelessly."""

    number: int

    @property
    def language(self) -> str:
        """`en` or `de`."""
        return "de" if self.number % 7 == 3 else "en"

    @property
    def is_mobile(self) -> bool:
        """Whether the user writes with the app."""
        return self.number % 2 == 1

    @property
    def is_casual(self) -> bool:
        """Whether the user always writes carelessly."""
        return self.number % 10 == 9


@dataclass(frozen=True)
class Call:
    """One call of the model. Times in epoch seconds; `output` is None where the provider failed."""

    call_id: str
    user: User
    intent: str
    casual: bool
    release: str
    prompt_version: str
    started_at: float
    latency_s: float
    text: str
    output: str | None
    is_cut_off: bool
    input_tokens: int
    output_tokens: int

    @property
    def cost_usd(self) -> float:
        """The pinned model's price for it."""
        return cost_usd(desk.PINNED, self.input_tokens, self.output_tokens)


def calls(last_day: date, days_before: int, seed: int = SEED) -> list[Call]:
    """The calls of the day that is `days_before` days before `last_day`, in the order of their times."""
    rng = _random(seed, days_before, "calls")
    day = date.fromordinal(last_day.toordinal() - days_before)
    wander = _random(seed, days_before, "wander")
    count = round(_CALLS[day.weekday()] * math.exp(wander.gauss(0, 0.02)))
    weights = {intent: share * math.exp(wander.gauss(0, 0.08)) for intent, share in customer_texts.CATEGORIES.items()}
    made = [_call(rng, day, days_before, weights) for _ in range(count)]
    return sorted(made, key=lambda call: call.started_at)


def tokens(text: str) -> int:
    """The approximate number of tokens of a text: four characters each."""
    return max(1, len(text) // 4)


def cost_usd(model: str, input_tokens: int, output_tokens: int) -> float:
    """The cost of a call at the model's price."""
    price_in, price_out = _PRICES[model]
    return (input_tokens * price_in + output_tokens * price_out) / 1e6


def prices(model: str) -> tuple[float, float]:
    """USD per million tokens, in and out."""
    return _PRICES[model]


def _random(seed: int, *parts: object) -> Random:
    return Random("/".join(map(str, (seed, *parts))))  # noqa: S311 - a simulation, no secret hangs on it


def _call(rng: Random, day: date, days_before: int, weights: dict[str, float]) -> Call:
    user = _user(rng)
    casual, release = _manner(rng, user, days_before)
    intent = rng.choices(list(weights), list(weights.values()))[0]
    if rng.random() < LOYALTY_POINTS.share and LOYALTY_POINTS.covers(days_before):
        intent = customer_texts.NEW_TOPIC
    version = desk.PROMPT_VERSION
    if rng.random() < LIST_OUTPUTS.share and LIST_OUTPUTS.covers(days_before):
        version = desk.BROKEN_VERSION
    text = customer_texts.written(rng, user.language, intent, casual)
    fields = desk.answer(rng, user.language, intent, right=rng.random() >= 0.08)
    if SWAPPED_MODEL.covers(days_before):
        fields = desk.said_at_length(fields)
    answer = desk.rendered(rng, fields, as_list=version == desk.BROKEN_VERSION)
    failed = rng.random() < _FAILING
    hour = rng.choices(range(24), _BY_HOUR)[0]
    second = hour * 3600 + rng.random() * 3600
    failed = failed or (OUTAGE.covers(days_before) and hour in OUTAGE_HOURS)
    return Call(
        call_id=f"chatcmpl-{day:%Y%m%d}-{rng.getrandbits(64):016x}",
        user=user,
        intent=intent,
        casual=casual,
        release=release,
        prompt_version=version,
        started_at=round(datetime.combine(day, time(), UTC).timestamp() + second, 3),
        latency_s=round(rng.lognormvariate(-0.2, 0.35), 4),
        text=text,
        output=None if failed else answer,
        is_cut_off=not failed and answer[0] in "{[" and answer[-1] not in "}]",
        input_tokens=tokens(desk.SYSTEM_PROMPT) + tokens(text),
        output_tokens=0 if failed else tokens(answer),
    )


def _user(rng: Random) -> User:
    heavy = rng.random() < _HEAVY_SHARE
    return User(rng.randrange(_HEAVY_USERS) if heavy else rng.randrange(_HEAVY_USERS, _USERS))


def _manner(rng: Random, user: User, days_before: int) -> tuple[bool, str]:
    """Whether a user writes carelessly that day, and the release of the application."""
    careless = rng.random() < 2 * MOBILE_RELEASE.share  # of the mobile users, who are half of all
    if not user.is_mobile:
        return user.is_casual, "web-2.31.0"
    if MOBILE_RELEASE.covers(days_before):
        return careless, "mobile-4.0.0"
    return user.is_casual, "mobile-3.9.2"

"""The strata of the draw: every call of a pool is in exactly one, and all calls of one have the same probability."""

from collections import Counter
from collections.abc import Mapping
from typing import Literal

KINDS = ("incident", "new_topic", "bad_feedback", "costly", "plain")
"""In the order in which they count, where a call is of several kinds."""
VERDICTS = ("fail", "pass", "unjudged")
_USUAL = ("plain:pass", "plain:unjudged")
CODES = len(KINDS) * len(VERDICTS)
Draw = Literal["finding", "rates"]
RANDOM = 2 / 3
"""The part of a day's sample that is drawn at random from all calls."""


def name_of(code: int) -> str:
    """The name of a stratum by its number: `<kind>:<verdict>`."""
    return f"{KINDS[code // len(VERDICTS)]}:{VERDICTS[code % len(VERDICTS)]}"


def weights(sizes: Mapping[str, int], at_random: float, targeted: float, draw: Draw) -> dict[str, float]:
    """The weight of one call of each stratum, of which `sizes` are the numbers of calls; about a probability.

    `finding`: so many `at_random` from all calls, and so many `targeted`, shared among the strata that are not plain
    and the plain one that the judge failed. Failed ones have two shares, others one.
    `rates`: the same number of calls for each verdict, and within a verdict the same weight for each call.
    """
    if draw == "rates":
        by_verdict: Counter[str] = Counter()
        for name, size in sizes.items():
            by_verdict[_verdict(name)] += size
        each = (at_random + targeted) / len(by_verdict)
        return {name: each / by_verdict[_verdict(name)] for name in sizes}
    parts = {name: 2 if _verdict(name) == "fail" else 1 for name in sizes if name not in _USUAL}
    share = targeted / sum(parts.values()) if parts else 0.0
    base = (at_random if parts else at_random + targeted) / sum(sizes.values())
    return {name: base + share * parts.get(name, 0) / size for name, size in sizes.items()}


def random_part(weights_of: Mapping[str, float], stratum: str) -> float:
    """The probability that a drawn call of a stratum counts as drawn at random from all: alike for every call."""
    return min(weights_of.values()) / weights_of[stratum]


def _verdict(name: str) -> str:
    return name.partition(":")[2]

"""Which cause explains the breaches that begin on one night: each that is known is tried.

The cause that explains most, each breach weighted by its evidence, takes the breaches that it explains; the others are
tried again. `unknown` takes what no other cause explains.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from flows.incidents.breach_rows import JUDGE_CHANGED, Breach
from flows.incidents.given import Given
from flows.incidents.idea import Cause, weight_of
from flows.incidents.ideas import ideas_of, outputs_follow_inputs, unknown_ones

# A breach belongs to a cause that explains this part of it.
_ENOUGH = 0.4


@dataclass(frozen=True)
class Found:
    """A cause with the breaches that it explains, and which part of all that began it explains, the largest first.

    `part` is the part that the cause explains of any other breach; None for what the evaluation found.
    """

    cause: Cause
    breaches: tuple[Breach, ...]
    tried: tuple[tuple[Cause, float], ...] = ()
    part: Callable[[Breach], float] | None = None

    def explains(self, breach: Breach) -> bool:
        """Whether a breach could be of this cause."""
        return self.part is not None and self.part(breach) >= _ENOUGH


def causes_of(starts: Sequence[Breach], given: Given) -> list[Found]:
    """The breaches that begin on one night, each under one cause."""
    judges = list(_of_judges(starts))
    starts = [breach for breach in starts if not any(breach in judge.breaches for judge in judges)]
    found = [
        *judges,
        *(one for route in _routes(starts) for one in _of_traffic([b for b in starts if b.route == route], given)),
        *_of_evaluation([breach for breach in starts if breach.about != "traffic"]),
    ]
    return _with_pins(_shared(found))


def _routes(starts: Sequence[Breach]) -> list[str]:
    return sorted({breach.route for breach in starts if breach.about == "traffic"})


def _of_traffic(starts: Sequence[Breach], given: Given) -> Iterator[Found]:
    """The causes on one route, the one that explains most first."""
    rest = [breach for breach in starts if breach.about == "traffic"]
    follow = outputs_follow_inputs(rest)
    while rest:
        total = sum(map(weight_of, rest))
        ideas = sorted(ideas_of(rest, given, follow), key=lambda idea: (-idea.weight(rest), idea.cause.kind))
        best = next(
            idea
            for idea in [*ideas, *unknown_ones(rest, follow)]
            if any(idea.part(breach) >= _ENOUGH for breach in rest)
        )
        taken = tuple(breach for breach in rest if best.part(breach) >= _ENOUGH)
        parts = tuple((idea.cause, round(idea.weight(rest) / total, 3)) for idea in ideas)
        yield Found(best.cause, taken, parts, best.part)
        rest = [breach for breach in rest if breach not in taken]


def _of_judges(starts: Sequence[Breach]) -> Iterator[Found]:
    """A judge that changed is the cause of what moved in the criteria that it decides."""
    for judge in (breach for breach in starts if breach.kind == JUDGE_CHANGED):
        cause = Cause("judge", str(judge.evidence.get("judge") or judge.subject))
        yield Found(cause, (judge, *(one for one in starts if one.judged in judge.criteria)), ((cause, 1.0),))


_OF_KIND = {"pin_changed": "pinned_model", "end_of_life": "end_of_life", "pass_rate": "criterion"}


def _of_evaluation(starts: Sequence[Breach]) -> Iterator[Found]:
    """A candidate is one incident with all that it is worse at; of the pinned model each subject is one."""
    groups: dict[Cause, list[Breach]] = {}
    for breach in starts:
        if breach.about == "candidate":
            cause = Cause("candidate", str(breach.evidence.get("candidate") or breach.subject))
        else:
            cause = Cause(_OF_KIND.get(breach.kind, "unknown"), breach.subject)
        groups.setdefault(cause, []).append(breach)
    for cause, members in groups.items():
        yield Found(cause, tuple(members), ((cause, 1.0),))


def _shared(found: Sequence[Found]) -> list[Found]:
    """One cause on several routes is one."""
    together: dict[object, Found] = {}
    for n, one in enumerate(found):
        key: object = one.cause if one.cause.is_shared else n
        known = together.get(key)
        together[key] = one if known is None else replace(known, breaches=known.breaches + one.breaches)
    return list(together.values())


def _with_pins(found: Sequence[Found]) -> list[Found]:
    """A holdout's canary that agrees with the traffic joins it."""
    pins = {one.cause.name: one for one in found if one.cause.kind == "pinned_model"}
    agreeing = {one.cause.name for one in found if one.cause.kind == "model_under_name" and one.cause.name in pins}
    return [
        replace(one, breaches=one.breaches + pins[one.cause.name].breaches)
        if one.cause.kind == "model_under_name" and one.cause.name in agreeing
        else one
        for one in found
        if one.cause.kind != "pinned_model" or one.cause.name not in agreeing
    ]

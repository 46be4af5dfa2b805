"""The ideas that a group of calls makes a change: those of a release, a prompt version, a model, a topic, a user."""

from collections.abc import Iterator, Sequence
from functools import partial

from flows.incidents.breach_rows import Breach, Coincidence
from flows.incidents.given import Given
from flows.incidents.idea import Cause, Idea

_KINDS = {
    "release": "release",
    "prompt_version": "prompt_version",
    "model_served": "model_name",
    "topic": "topic",
    "criterion_version": "criterion",
    "user": "user",
}
"""The kind of cause by the dimension of the calls."""
_MIXES = {"model:": ("model_name", "model"), "prompt:": ("prompt_version", "prompt version")}
"""The kind of cause, and what stands before its name, by the prefix of a feature that is a share of the calls."""
_MOST_OF_RISE = 0.7


def ideas_of_groups(starts: Sequence[Breach], given: Given) -> Iterator[Idea]:
    """A release, a prompt version, a model, a topic, a user or a criterion whose calls make the shift."""
    for name, kind in sorted({(found.name, _KINDS[found.dimension]) for found in _coincidences(starts)}):
        yield Idea(Cause(kind, name), partial(_part_of_member, name, starts))
    known = {found.name for found in _coincidences(starts)}
    for breach in starts:
        member = _member_of_mix(breach)
        if member is not None and member.name not in known and breach.has_risen:
            yield Idea(member, partial(_is_same, breach))
    yield from _heavy_user(starts, given)


def _is_same(one: Breach, other: Breach) -> float:
    return float(one is other)


def _part_of_member(name: str, starts: Sequence[Breach], breach: Breach) -> float:
    found = breach.coincidence
    if found is not None and found.name == name:
        return min(1.0, found.part)
    of_mix = _member_of_mix(breach)
    return 1.0 if of_mix is not None and of_mix.name == name else _with_the_others(breach, starts, name)


def _coincidences(starts: Sequence[Breach]) -> list[Coincidence]:
    return [breach.coincidence for breach in starts if breach.coincidence is not None]


def _member_of_mix(breach: Breach) -> Cause | None:
    """The model or the prompt version whose share of the calls a breach is about; None for what is no such share."""
    for prefix, (kind, word) in _MIXES.items():
        if breach.feature.startswith(prefix):
            return Cause(kind, f"{word} {breach.feature.removeprefix(prefix)}")
    return None


def _with_the_others(breach: Breach, starts: Sequence[Breach], name: str) -> float:
    """What a cause of most of a side's breaches explains of one for which no part can be computed."""
    if breach.coincidence is not None:
        return 0.0
    named = (start.coincidence for start in starts if start.side_group == breach.side_group)
    return 0.5 if any(found is not None and found.name == name for found in named) else 0.0


def _heavy_user(starts: Sequence[Breach], given: Given) -> Iterator[Idea]:
    """One user makes most of the calls that there are more of."""
    for start in starts:
        rise = (start.now or 0.0) - (start.before or 0.0)
        if start.kind != "volume" or rise <= 0:
            continue
        for user, n in given.users.get((start.route, start.day), {}).items():
            if n - _usual_calls(user, start, given) >= _MOST_OF_RISE * rise:
                yield Idea(Cause("user", f"user {user}"), partial(_part_of_user, f"user {user}", start, starts))


def _usual_calls(user: str, start: Breach, given: Given) -> float:
    """The calls that a user made on a night of the window before; a night with few calls counts as one without."""
    nights = [day for day in given.nights_of[start.route] if 0 < (start.day - day).days <= given.window_days]
    return sum(given.users.get((start.route, day), {}).get(user, 0) for day in nights) / max(1, len(nights))


def _part_of_user(name: str, rise: Breach, starts: Sequence[Breach], breach: Breach) -> float:
    return 1.0 if breach is rise else _part_of_member(name, starts, breach)

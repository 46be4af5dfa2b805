"""Which calls are proposed, and why: what users corrected, what people found wrong, and what the holdout lacks.

Each kind of reason has its share of the proposals, so that none crowds the others out. No call is picked because a
model or a judge failed on it: a holdout of a model's failures would make every other model look better. A failure mode
is one that a person named.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from flows.evaluate.propose.described import Described
from flows.evaluate.propose.pool import Call, Known
from flows.evaluate.propose.traits import Gap, Traits
from flows.stats.facility_location import facility_location
from flows.stats.neighbours import unit
from flows.stats.sample import rank
from flows.words import counted

_MOST = 1500  # members and candidates of a trait between which similarities are computed


@dataclass(frozen=True)
class Pick:
    """A call with the reason why it was picked, and the same in words."""

    call: Call
    reason: str
    explanation: str


def pick(
    calls: Sequence[Call],
    known: Known,
    gaps: Sequence[tuple[Gap, Sequence[Call]]],
    here: Described,
    there: Described,
    *,
    limit: int,
) -> list[Pick]:
    """At most `limit` picks: a third of edits, a third of failure modes, and gaps; what one leaves, the next ones take.

    `gaps` have the calls with their trait. Deterministic: ties go by the rank of the call_id.
    """
    third = max(1, limit // 3)
    streams = [_edits(calls, known), _failure_modes(calls, known), _of_gaps(gaps, here, there, limit)]
    first = [list(islice(stream, third)) for stream in streams[:2]]
    left = chain(streams[2], streams[0], streams[1])
    taken: dict[str, Pick] = {}
    for one in chain(*first, left):
        if len(taken) == limit:
            break
        taken.setdefault(one.call.call_id, one)
    return list(taken.values())


def _edits(calls: Sequence[Call], known: Known) -> Iterator[Pick]:
    for call in _ranked(calls):
        if known.edits.get(call.call_id, call.output_text).strip() != call.output_text.strip():
            yield Pick(call, "edited", "a user corrected the answer; the expected answer is the user's")


def _failure_modes(calls: Sequence[Call], known: Known) -> Iterator[Pick]:
    """One call of each mode in turn, the most frequent mode first."""
    by_mode: dict[str, list[Call]] = defaultdict(list)
    for call in _ranked(calls):
        if call.call_id in known.failure_modes:
            by_mode[known.failure_modes[call.call_id]].append(call)
    modes = sorted(by_mode, key=lambda mode: (-len(by_mode[mode]), mode))
    for turn in range(max(map(len, by_mode.values()), default=0)):
        for mode in modes:
            if turn < len(by_mode[mode]):
                n = counted(len(by_mode[mode]), "call")
                yield Pick(
                    by_mode[mode][turn], "failure_mode", f"a person named its failure: {mode} ({n} in the window)"
                )


def _of_gaps(
    gaps: Sequence[tuple[Gap, Sequence[Call]]], here: Described, there: Described, limit: int
) -> Iterator[Pick]:
    """One call of each trait in turn. A call that closes a gap is counted for the first."""
    each = max(1, -(-limit // max(1, len(gaps))))
    chosen = [(gap, _best(_ranked(calls), here, there, each)) for gap, calls in gaps]
    for turn in range(each):
        for gap, calls in chosen:
            if turn < len(calls):
                yield Pick(calls[turn], gap.reason, gap.explanation)


def _best(calls: Sequence[Call], here: Described, there: Described, count: int) -> list[Call]:
    """The calls that stand best for all with the trait, given the examples that are there; by rank without vectors."""
    members = [call for call in calls if call.call_id in here.vectors][:_MOST]
    if not members:
        return list(calls[:count])
    vectors = _matrix(here.vectors, [call.call_id for call in members])
    covered = np.zeros(len(members))
    if there.vectors:
        examples = _matrix(there.vectors, sorted(there.vectors)[:_MOST])
        if examples.shape[1] == vectors.shape[1]:
            covered = np.maximum(0, (vectors @ examples.T).max(axis=1))
    places = facility_location(np.maximum(0, vectors @ vectors.T), covered, count)
    best = [members[place] for place in places]
    taken = {call.call_id for call in best}
    return [*best, *(call for call in calls if call.call_id not in taken)][:count]


def _matrix(vectors: Mapping[str, np.ndarray], ids: Sequence[str]) -> np.ndarray:
    return unit(np.stack([vectors[one] for one in ids]))


def _ranked(calls: Sequence[Call]) -> list[Call]:
    return sorted(calls, key=lambda call: rank(call.call_id))


def traits_of_gap(gap: Gap, calls: Sequence[Call], traits: Mapping[str, Traits]) -> list[Call]:
    """The calls that have a gap's trait."""
    return [call for call in calls if traits[call.call_id].get(gap.kind) == gap.value]

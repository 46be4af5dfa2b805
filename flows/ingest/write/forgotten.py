"""Records of forgotten calls and users are dropped as they are read, so that a log that is read again brings none back.

A call that is dropped for its user gets a tombstone of its own: signals about it may come on another night.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flows.ingest.map import Mapped
from flows.lake import CALL, SHARED, Tombstones


@dataclass
class Sieve:
    """What one run drops. `calls` and `shared` are the ids of calls that it dropped, for tombstones of their own."""

    tombstones: Tombstones
    calls: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    _feedback: list[pa.Table] = field(default_factory=list)

    def sift(self, mapped: Mapped) -> Mapped:
        """The batch without forgotten records, which count as `other`. Signals wait until all calls are read."""
        if not self.tombstones:
            return mapped
        lost = self.tombstones.calls_in(mapped.interactions)
        refused = np.array([self.tombstones.in_text(raw) for raw in mapped.refused.column("raw").to_pylist()], bool)
        if lost.any():
            dropped = mapped.interactions.filter(pa.array(lost))
            self.calls |= set(dropped.column("call_id").to_pylist())
            self.shared |= set(dropped.column("one_call").drop_null().to_pylist())
        self._feedback.append(mapped.feedback)
        kept = mapped.interactions.filter(pa.array(~lost))
        return replace(
            mapped,
            interactions=kept,
            feedback=mapped.feedback.slice(0, 0),
            refused=mapped.refused.filter(pa.array(~refused)),
            other=_and_also(mapped.other, mapped.interactions, lost, mapped.refused, refused),
            incomplete=_without(mapped.incomplete, mapped.interactions, lost),
        )

    def absorb(self, other: "Sieve") -> None:
        """Add what another sieve with the same tombstones has dropped, and the signals that it keeps back."""
        self.calls |= other.calls
        self.shared |= other.shared
        self._feedback += other._feedback

    def without_tombstones(self) -> "Sieve":
        """What it has dropped and keeps back, to send to where the tombstones are known."""
        return Sieve(Tombstones(b""), self.calls, self.shared, self._feedback)

    def take_feedback(self) -> tuple[pa.Table, pa.Table] | None:
        """All signals that are to be landed, and those about forgotten calls; None where nothing was kept back."""
        if not self._feedback:
            return None
        rows = pa.concat_tables(self._feedback)
        self._feedback = []
        ids = rows.column("call_id")
        now = pc.is_in(ids, value_set=pa.array(sorted(self.calls), pa.string())).to_numpy(zero_copy_only=False)
        lost = self.tombstones.which(CALL, ids) | now
        return rows.filter(pa.array(~lost)), rows.filter(pa.array(lost))

    @property
    def ids(self) -> dict[str, set[str]]:
        """What to write tombstones for."""
        return {CALL: self.calls, SHARED: self.shared}


def _and_also(other: pa.Table, calls: pa.Table, lost: np.ndarray, refused: pa.Table, gone: np.ndarray) -> pa.Table:
    places = ["file", "line"]
    parts = [rows.filter(pa.array(mask)).select(places) for rows, mask in ((calls, lost), (refused, gone))]
    return pa.concat_tables([other.select(places), *(part.cast(other.select(places).schema) for part in parts)])


def _without(incomplete: pa.Table, calls: pa.Table, lost: np.ndarray) -> pa.Table:
    if not len(incomplete) or not lost.any():
        return incomplete
    dropped = calls.filter(pa.array(lost))
    gone = set(zip(dropped.column("file").to_pylist(), dropped.column("line").to_pylist(), strict=True))
    places = zip(incomplete.column("file").to_pylist(), incomplete.column("line").to_pylist(), strict=True)
    return incomplete.filter(pa.array([place not in gone for place in places], pa.bool_()))

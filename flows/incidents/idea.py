"""A cause, and the idea that it explains breaches."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flows.incidents.breach_rows import Breach

_MOST_EVIDENCE = 12.0  # p-values below 1e-12 weigh the same
_WITHOUT_P = 3.0  # the weight of a breach without a p-value


@dataclass(frozen=True)
class Cause:
    """A kind of cause, and its name where it has one: a release, a model, a topic."""

    kind: str
    name: str | None = None

    @property
    def is_shared(self) -> bool:
        """Whether the same cause on several routes is one incident."""
        return self.kind in ("log_format", "outage", "language") or (
            self.name is not None and self.kind in ("release", "model_name", "model_under_name", "user")
        )


@dataclass(frozen=True)
class Idea:
    """A cause that is tried: which part of a breach it explains."""

    cause: Cause
    part: Callable[[Breach], float]

    def weight(self, breaches: Sequence[Breach]) -> float:
        """The evidence that it explains."""
        return sum(self.part(breach) * weight_of(breach) for breach in breaches)


def weight_of(breach: Breach) -> float:
    p = breach.evidence.get("p_value")
    return _WITHOUT_P if p is None else 1 + min(_MOST_EVIDENCE, -math.log10(max(float(p), 1e-300)))

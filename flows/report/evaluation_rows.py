"""What the page uses of the night's evaluation: one frozen dataclass a kind of row, named as in `rows`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Comparison:
    """A candidate against the pinned model: delta in pass rate (or mean score), with its 95 % interval."""

    pinned: str
    candidate: str
    route: str
    criterion: str
    severity: str
    delta: float | None
    ci_low: float | None
    ci_high: float | None
    q_value: float | None
    margin: float
    minimum_detectable: float | None
    verdict: str
    n_regressed: int
    n_repaired: int
    n_examples: int
    n_unscored: int
    slice: str = "*"
    examples_enough: int | None = None
    repeats_enough: int | None = None
    n_unanswered: int | None = None
    ci_low_worst: float | None = None
    is_graded: bool | None = None
    open_because: str | None = None

    @property
    def is_silent(self) -> bool:
        """Whether the candidate answered nothing of what the pinned model answered."""
        return not self.n_examples and bool(self.n_unanswered)


@dataclass(frozen=True)
class Score:
    """The pass rate of one model on one criterion, with its 95 % interval."""

    day: date
    model: str
    arm: str
    route: str
    criterion: str
    n_examples: int
    n_repeats: int
    n_unscored: int
    pass_rate: float | None
    ci_low: float | None
    ci_high: float | None
    min_pass_rate: float | None
    mean_score: float | None = None


@dataclass(frozen=True)
class FrontierRow:
    """The pass rate, cost and latency (ms) of one model on one route; null for what is not known."""

    model: str
    arm: str
    route: str
    n_examples: int
    pass_rate: float | None
    ci_low: float | None
    ci_high: float | None
    cost_per_1k_calls: float | None
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    is_dominated: bool | None
    is_sufficient: bool | None
    is_smallest_sufficient: bool | None
    n_unanswered: int | None = None
    n_without_cost: int | None = None


@dataclass(frozen=True)
class Failure:
    """Requests of one model and route without an answer, of one class of error; a message in the provider's words."""

    model: str
    route: str
    error_class: str
    is_own_failure: bool
    n_answers: int
    n_examples: int
    error_message: str | None


@dataclass(frozen=True)
class Flip:
    """One example that a candidate regressed or repaired, or that is flaky, with one answer of each side."""

    model: str
    arm: str
    route: str
    criterion: str
    example_id: str
    passes: int
    repeats: int
    state: str
    flip: str | None
    answer: str | None
    failing_reason: str | None
    pinned_answer: str | None


@dataclass(frozen=True)
class Pin:
    """Whether a pinned model is still the same behind its name.

    `p_value` and `is_changed` are null where there was nothing to compare with: no earlier night (`has_past` says of
    earlier nights on which it was heard), or it did not answer.
    """

    model: str
    served_names: Sequence[str]
    last_served_names: Sequence[str] | None
    n_prompts: int
    p_value: float | None
    is_changed: bool | None
    has_past: bool = False

"""The facts of a night as the page uses them: one frozen dataclass a kind of row.

The fields carry the names and the meaning of the columns that they were read from.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from flows.incidents import need_in
from flows.report.evaluation_rows import Comparison, Failure, Flip, FrontierRow, Pin, Score
from flows.report.incident_rows import Incident
from flows.report.people_rows import Alignment, CriterionDrift, LabelRate
from flows.report.review_rows import ToReview


@dataclass(frozen=True)
class Breach:
    """One thing that left its limits. `evidence` holds the numbers behind `summary`; `nights` counts this one too.

    `incident_id` names the incident that it is part of; None for information that is part of none.
    """

    kind: str
    subject: str
    severity: str
    summary: str
    evidence: Mapping[str, Any]
    first_seen: date
    nights: int
    incident_id: str | None = None

    @property
    def name(self) -> str:
        """Kind and subject: unique among the breaches of a night."""
        return f"{self.kind} {self.subject}"

    @property
    def calls(self) -> tuple[str, ...]:
        """The calls to look at, by their ids."""
        found = self.evidence.get("example_call_ids")
        return tuple(map(str, found)) if isinstance(found, list) else ()

    @property
    def numbers(self) -> dict[str, Any]:
        """The evidence but the calls."""
        return {name: value for name, value in self.evidence.items() if name != "example_call_ids"}


@dataclass(frozen=True)
class CallText:
    """The texts of one call; None for what it does not have."""

    call_id: str
    day: date
    route: str | None
    input_text: str | None
    output_text: str | None
    error_message: str | None


@dataclass(frozen=True)
class FeatureDay:
    """One feature of one route's traffic on one day, with its reference (share or mean)."""

    day: date
    route: str
    side: str
    feature: str
    reference: str
    model_served: str
    prompt_version: str
    value_reference: float | None
    value_current: float | None
    n_reference: int
    n_current: int
    is_breach: bool | None


@dataclass(frozen=True)
class Seam:
    """The day from which a route's criterion has another version: days before it are not comparable with it."""

    day: date
    route: str
    criterion: str
    criterion_version: str


@dataclass(frozen=True)
class Usage:
    """The calls of one day, route and model; latencies in milliseconds."""

    day: date
    route: str
    model_served: str
    calls: int
    errors: int
    cost_usd: float | None
    latency_p50_ms: float | None
    latency_p95_ms: float | None


@dataclass(frozen=True)
class Structure:
    """How many outputs of one day, route and model had a form; `schema_valid` is null without a schema."""

    day: date
    route: str
    model_served: str
    outputs: int
    json_valid: int
    schema_valid: int | None
    schema_checked: int | None
    refusals: int
    truncations: int
    empty: int


@dataclass(frozen=True)
class TopicDay:
    """One topic of one route's inputs on one day: its share of the day, and of the days before."""

    day: date
    route: str
    topic_id: str
    label: str | None
    share_reference: float | None
    share_current: float
    status: str


@dataclass(frozen=True)
class NightStage:
    """One stage of a night as it ran; `rows` of the day and `bytes` that it wrote to the lake."""

    day: date
    run: str
    stage: str
    position: int
    seconds: float
    rows: int
    bytes: int
    cost_usd: float | None
    peak_memory_bytes: int
    state: str


@dataclass(frozen=True)
class Freshness:
    """How old a route's holdout is, and which share of the inputs it does not test; null without topics."""

    route: str
    age_days: int
    uncovered_share: float | None
    is_stale: bool


@dataclass(frozen=True)
class LandedFile:
    """One file of the night, and what became of its records; `problem` says why it could not be read (to its end).

    `incomplete` counts the calls and signals with a value that could not be read; None in rows of older versions.
    """

    source: str
    file: str
    records: int
    interactions: int
    feedback: int
    duplicates: int
    other: int
    quarantined: int
    incomplete: int | None
    problem: str | None


@dataclass(frozen=True)
class Rejected:
    """A reason for quarantine: how many records, and the first of them; `text` is None where no texts are shown."""

    reason: str
    n: int
    file: str
    line: int | None
    text: str | None = None


@dataclass(frozen=True)
class Expectation:
    """One expectation as it was checked."""

    suite: str
    expectation: str
    subject: str
    success: bool
    severity: str
    observed: str | None
    expected: str | None
    evidence_json: str | None = None

    @property
    def need(self) -> str:
        """What users need that is in question where it fails; empty in the results of an older genchi."""
        return need_in(self.evidence_json)


@dataclass(frozen=True)
class Facts:
    """All that the page of one night says. `compared` counts the features that had a reference that day:
    one of `compared_with`.

    `acknowledged` says by incident who takes care of it. `texts` are the example calls by their call_id, `typical` a
    call from before by the name of the breach, `own_shares` the workspace's own features that are shown in percent,
    `json_routes` the routes with a criterion that asks for JSON.
    """

    app: str
    day: date
    window_days: int
    calls: int = 0
    compared: int = 0
    compared_with: frozenset[str] = frozenset()
    json_routes: frozenset[str] = frozenset()
    incidents: tuple[Incident, ...] = ()
    acknowledged: Mapping[str, str] = field(default_factory=dict)
    breaches: tuple[Breach, ...] = ()
    texts: Mapping[str, CallText] = field(default_factory=dict)
    typical: Mapping[str, CallText] = field(default_factory=dict)
    series: tuple[FeatureDay, ...] = ()
    own_shares: frozenset[str] = frozenset()
    seams: tuple[Seam, ...] = ()
    label_rates: tuple[LabelRate, ...] = ()
    alignments: tuple[Alignment, ...] = ()
    relabelled: tuple[CriterionDrift, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    slices: tuple[Comparison, ...] = ()
    scores: tuple[Score, ...] = ()
    frontier: tuple[FrontierRow, ...] = ()
    flips: tuple[Flip, ...] = ()
    questions: Mapping[tuple[str, str], str] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    pins: tuple[Pin, ...] = ()
    usage: tuple[Usage, ...] = ()
    structure: tuple[Structure, ...] = ()
    topics: tuple[TopicDay, ...] = ()
    freshness: tuple[Freshness, ...] = ()
    landed: tuple[LandedFile, ...] = ()
    quarantined: tuple[Rejected, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    missing: tuple[str, ...] = ()
    stages: tuple[NightStage, ...] = ()
    review: ToReview | None = None

    @property
    def incomplete(self) -> int:
        """The calls and signals of the night with a value that could not be read."""
        return sum(file.incomplete or 0 for file in self.landed)

    @property
    def of_several_versions(self) -> frozenset[tuple[str, str]]:
        """Route and criterion where judges are compared with people by several versions; the page names them there."""
        versions = {(row.route, row.criterion, row.criterion_version) for row in self.alignments}
        counts = Counter((route, criterion) for route, criterion, _ in versions)
        return frozenset(name for name, count in counts.items() if count > 1)

    @property
    def has_labels(self) -> bool:
        """Whether people have judged any answer that a rate, a judge or a changed criterion is measured by."""
        return bool(self.relabelled) or any(
            [*(row.n_labels for row in self.label_rates), *(row.n_labels for row in self.alignments)]
        )

    @property
    def unread(self) -> tuple[LandedFile, ...]:
        """The files and folders that could not be read (to their end)."""
        return tuple(file for file in self.landed if file.problem is not None)

    @property
    def first_day(self) -> date:
        """The first day of the window that the pictures show."""
        return self.day - timedelta(days=self.window_days)

    @property
    def scores_of_the_night(self) -> tuple[Score, ...]:
        """The pass rates of this night alone; `scores` holds those of the whole window."""
        return tuple(score for score in self.scores if score.day == self.day)

    @property
    def failed(self) -> tuple[Expectation, ...]:
        """The expectations that were not met."""
        return tuple(found for found in self.expectations if not found.success)

"""From scores to estimates and comparisons: a row for all examples, and one for each slice by a tag or a topic."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from statistics import fmean
from sys import intern
from typing import Any

from flows.config import ModelVariant
from flows.evaluate.criteria import Criterion
from flows.evaluate.examples import Example
from flows.stats.fdr import q_values
from flows.stats.paired import compare, if_unanswered
from flows.stats.proportions import pass_rate
from flows.stats.repeats import PASS, steadiness

SMALLEST_SLICE = 10
ALL = "*"
_HALF = 0.5  # what the pinned model scores by a pairwise judge

Row = dict[str, Any]


@dataclass
class Tally:
    """The scores (0 to 1) of one model under one criterion, by example, and how many answers are unscored.

    Examples with equal scores share one tuple, so that a hundred thousand of them take only megabytes.
    """

    scores: dict[str, tuple[float, ...]] = field(default_factory=dict)
    unscored: dict[str, int] = field(default_factory=dict)

    def add(self, example_id: str, score: float | None) -> None:
        """Count one answer; None is unscored."""
        example_id = intern(example_id)
        if score is None:
            self.unscored[example_id] = self.unscored.get(example_id, 0) + 1
        else:
            self.scores[example_id] = _shared((*self.scores.get(example_id, ()), float(score)))


@dataclass(frozen=True)
class RouteEvaluation:
    """One route of a night: what was asked of whom, the pinned model first.

    `topics` are topic labels by example_id; examples of unknown topic are missing.
    """

    run_id: str
    route: str
    models: Sequence[ModelVariant]
    examples: Sequence[Example]
    criteria: Sequence[Criterion]
    repeats: int
    margin: float | None
    topics: Mapping[str, str] = field(default_factory=dict)


Tallies = Mapping[tuple[str, str], Tally]
Slice = tuple[str, Sequence[str]]


def tally(scores: Iterable[Row], tallies: dict[tuple[str, str], Tally]) -> None:
    """Add score rows of one route to its tallies by (model, criterion)."""
    for row in scores:
        tally = tallies.setdefault((row["model"], row["criterion"]), Tally())
        tally.add(row["example_id"], row["score"])


@lru_cache(maxsize=4096)
def _shared(values: tuple[float, ...]) -> tuple[float, ...]:
    return values


def slices(examples: Sequence[Example], topics: Mapping[str, str]) -> dict[str, list[str]]:
    """The example_ids of each slice: `*` for all, and `tag=value` and `topic=label` of SMALLEST_SLICE or more."""
    parts: dict[str, list[str]] = defaultdict(list)
    for example in examples:
        for tag, value in example.tags.items():
            for tally in dict.fromkeys(map(str, value if isinstance(value, list) else [value])):
                parts[f"{tag}={tally}"].append(example.example_id)
        if example.example_id in topics and "topic" not in example.tags:
            parts[f"topic={topics[example.example_id]}"].append(example.example_id)
    large = {name: parts[name] for name in sorted(parts) if len(parts[name]) >= SMALLEST_SLICE}
    return {ALL: [example.example_id for example in examples], **large}


def estimates(evaluation: RouteEvaluation, tallies: Tallies) -> list[Row]:
    """Rows of the table `estimates`: pass rates by model, criterion and slice; null if nothing is scored."""
    graded = _graded(evaluation, tallies)
    return [
        _estimate(evaluation, model, criterion, (name, ids), tallies, is_graded=criterion.name in graded)
        for name, ids in slices(evaluation.examples, evaluation.topics).items()
        for criterion in evaluation.criteria
        for model in evaluation.models
    ]


def comparisons(evaluation: RouteEvaluation, tallies: Tallies) -> list[Row]:
    """Rows of the table `comparisons`, pinned with each candidate, without q-values (see `with_q_values`)."""
    graded = _graded(evaluation, tallies)
    return [
        _comparison(evaluation, candidate.name, criterion, (name, ids), tallies, is_graded=criterion.name in graded)
        for name, ids in slices(evaluation.examples, evaluation.topics).items()
        for criterion in evaluation.criteria
        for candidate in evaluation.models[1:]
    ]


def with_q_values(rows: Sequence[Row]) -> list[Row]:
    """The comparisons of a whole run with q-values: they are one family of tests."""
    q = q_values([row["p_value"] for row in rows])
    return [{**row, "q_value": value} for row, value in zip(rows, q, strict=True)]


def _where(evaluation: RouteEvaluation, criterion: Criterion, part: Slice) -> Row:
    """The columns that say what a row is about, but for its models."""
    return {
        "run_id": evaluation.run_id,
        "route": evaluation.route,
        "criterion": criterion.name,
        "slice": part[0],
        "severity": criterion.definition.severity,
        "n_repeats": evaluation.repeats,
    }


def _estimate(
    evaluation: RouteEvaluation,
    model: ModelVariant,
    criterion: Criterion,
    part: Slice,
    tallies: Tallies,
    *,
    is_graded: bool,
) -> Row:
    _, ids = part
    tally = tallies.get((model.name, criterion.name), Tally())
    scores = list(_of(tally, ids).values())
    # Half a point of a pairwise judge is a tie, which is half a win; of any other criterion it is a pass.
    passes = scores if criterion.is_pairwise else [tuple(float(score >= PASS) for score in one) for one in scores]
    rate, steady = pass_rate(passes), steadiness(passes, evaluation.repeats)
    return {
        **_where(evaluation, criterion, part),
        "model": model.name,
        "arm": model.arm,
        "min_pass_rate": criterion.definition.min_pass_rate,
        "need": criterion.definition.need,
        "n_examples": rate.n_examples,
        "n_unscored": _unscored(tally, ids),
        "pass_rate": rate.rate,
        "ci_low": rate.low,
        "ci_high": rate.high,
        "mean_score": fmean(map(fmean, scores)) if scores and is_graded else None,
        "n_flaky": steady.n_flaky,
        "pass_hat_k": steady.all_pass,
        "pass_at_k": steady.any_passes,
        "spread": steady.spread,
    }


def _comparison(
    evaluation: RouteEvaluation,
    candidate: str,
    criterion: Criterion,
    part: Slice,
    tallies: Tallies,
    *,
    is_graded: bool,
) -> Row:
    _, ids = part
    pinned = evaluation.models[0].name
    old, new = (tallies.get((model, criterion.name), Tally()) for model in (pinned, candidate))
    reach = _HALF if criterion.is_pairwise else 1.0
    compare_scores = partial(compare, by_mean=is_graded or criterion.is_pairwise, reach=reach)
    scores = _of(old, ids), _of(new, ids)
    found = compare_scores(*scores)
    unanswered = if_unanswered(*scores, new.unscored, found, compare_scores)
    return {
        **_where(evaluation, criterion, part),
        "pinned": pinned,
        "candidate": candidate,
        "margin": evaluation.margin,
        "is_graded": is_graded,
        "n_examples": found.n_examples,
        "n_unscored": _unscored(old, ids) + _unscored(new, ids),
        "n_unanswered": unanswered.n,
        "delta": found.delta,
        "ci_low": found.low,
        "ci_high": found.high,
        "ci_low_worst": unanswered.low,
        "ci_high_worst": unanswered.high,
        "p_value": found.p_value,
        "standard_error": found.error,
        "repeat_share": found.repeat_share,
        "minimum_detectable": found.minimum_detectable,
        "n_regressed": found.n_regressed,
        "n_repaired": found.n_repaired,
    }


def _graded(evaluation: RouteEvaluation, tallies: Tallies) -> set[str]:
    """The criteria that give scores between 0 and 1 in this evaluation: their mean is compared, not passes."""
    return {criterion.name for criterion in evaluation.criteria if _is_graded(criterion, evaluation, tallies)}


def _is_graded(criterion: Criterion, evaluation: RouteEvaluation, tallies: Tallies) -> bool:
    if criterion.is_pairwise:
        return False
    found = (tallies.get((model.name, criterion.name), Tally()) for model in evaluation.models)
    return any(0 < score < 1 for scores in set().union(*(one.scores.values() for one in found)) for score in scores)


def _of(tally: Tally, ids: Sequence[str]) -> dict[str, tuple[float, ...]]:
    return {key: tally.scores[key] for key in ids if key in tally.scores}


def _unscored(tally: Tally, ids: Sequence[str]) -> int:
    return sum(tally.unscored[key] for key in ids if key in tally.unscored)

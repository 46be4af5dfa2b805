"""Scoring: what landed in `completions` held against the criteria, and the models against each other."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from flows import models
from flows.config import Config
from flows.evaluate import comparison
from flows.evaluate.asking import Asked, ask_night
from flows.evaluate.comparison import Evaluated
from flows.evaluate.criteria import Criterion
from flows.evaluate.holdout import Example
from flows.evaluate.papers import Paper, read_papers
from flows.evaluate.questions import Row
from flows.evaluate.scorers import Response, Score, score, unscored
from flows.lake import Lake, from_rows

log = logging.getLogger(__name__)

_COLUMNS = (
    *("run_id", "model", "route", "example_id", "repeat"),
    *("output_text", "latency_ms", "cost_usd", "status", "error_type"),
)


@dataclass(frozen=True)
class EvaluationResult:
    """What a night's evaluation came to. Of `answers` so many `failed`; of `scores` so many are `unscored`."""

    run_id: str
    asking: Asked = field(default_factory=Asked)
    answers: int = 0
    failed: int = 0
    scores: int = 0
    unscored: int = 0
    comparisons: int = 0

    def summary(self) -> str:
        """One line for people."""
        spent = f"{self.asking.asked:,} asked, {self.asking.reused:,} reused, {self.asking.spent_usd:.2f} USD"
        stopped = "; the budget ran out" if self.asking.budget_ran_out else ""
        return f"{spent}, {self.unscored:,} of {self.scores:,} scores unscored{stopped}"


def evaluate_night(
    config: Config, day: date, run_id: str, clients: models.ClientFactory | None = None
) -> EvaluationResult:
    """Put the holdouts that were frozen on `day` to every model, and land completions, scores and comparisons.

    `clients` makes the client of a model (default: litellm's). Run again, it asks only what has no answer yet, and
    scores anew. Raises ConfigError for wrong criteria, schemas or prompts, before anything is asked.
    """
    return score_night(config, day, run_id, ask_night(config, day, run_id, clients))


def score_night(config: Config, day: date, run_id: str, asking: Asked | None = None) -> EvaluationResult:
    """Score what landed in `completions`, and land scores, estimates and comparisons. No model is asked.

    Answers are read and scores written some thousand at once: memory holds the examples and the tallies.
    """
    lake, counts = Lake.of(config), Counter[str]()
    papers = {paper.name: paper for paper in read_papers(config, day)}
    tallies: dict[str, dict[tuple[str, str], comparison.Tally]] = {name: {} for name in papers}
    with lake.writing("scores", day, run_id) as land:
        for batch in lake.batches("completions", day, _COLUMNS, run_id):
            answers = batch.to_pylist()
            for name, paper in papers.items():
                mine = list(_score(paper, [row for row in answers if row["route"] == name]))
                comparison.tally(mine, tallies[name])
                counts.update(scores=len(mine), unscored=sum(row["passed"] is None for row in mine))
                land(from_rows(mine, "scores"))
            counts.update(answers=len(answers), failed=sum(row["status"] != "ok" for row in answers))
    comparisons = _compare(config, day, run_id, papers.values(), tallies)
    asking = asking or Asked(reused=counts["answers"])
    result = EvaluationResult(run_id=run_id, asking=asking, comparisons=comparisons, **counts)
    log.info("evaluated: %s", result.summary())
    return result


def _compare(
    config: Config,
    day: date,
    run_id: str,
    papers: Iterable[Paper],
    tallies: Mapping[str, comparison.Tallies],
) -> int:
    """Land estimates and comparisons, and count the comparisons."""
    lake, names = Lake.of(config), [model.name for model in config.all_models()]
    estimates: list[Row] = []
    comparisons: list[Row] = []
    for paper in papers:
        night = Evaluated(
            run_id, paper.name, names, paper.examples, paper.criteria, paper.route.repeats, paper.route.margin
        )
        estimates += comparison.estimates(night, tallies[paper.name])
        comparisons += comparison.comparisons(night, tallies[paper.name])
    lake.write("estimates", day, from_rows(estimates, "estimates"), run_id)
    lake.write("comparisons", day, from_rows(comparison.with_q_values(comparisons), "comparisons"), run_id)
    return len(comparisons)


def _score(paper: Paper, completions: Sequence[Row]) -> Iterator[Row]:
    for row in completions:
        example = paper.example(row["example_id"])
        for criterion in paper.criteria:
            found = _score_one(criterion, example, row)
            yield {
                "subject": "completion",
                "subject_id": "/".join(str(row[key]) for key in ("run_id", "model", "route", "example_id", "repeat")),
                "criterion": criterion.name,
                **{key: row[key] for key in ("run_id", "model", "example_id", "repeat", "route")},
                "criterion_version": criterion.version,
                "score": found.score,
                "passed": found.passed,
                "reason": found.reason,
            }


def _score_one(criterion: Criterion, example: Example | None, row: Row) -> Score:
    if row["status"] != "ok":
        return unscored(f"not answered: {row['error_type']}")
    if example is None:
        return unscored("the example is no longer in the frozen holdout")
    return score(criterion, example, Response(row["output_text"] or "", row["latency_ms"], row["cost_usd"]))

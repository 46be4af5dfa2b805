"""Scoring: what landed in `completions` held against the criteria, and the models against each other."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from flows import models
from flows.config import Config
from flows.evaluate import comparison, judging, standing
from flows.evaluate.asking import Asked, ask_night
from flows.evaluate.comparison import Evaluated
from flows.evaluate.holdout import topics_of
from flows.evaluate.judges import Ask, Reply
from flows.evaluate.judging import Judged
from flows.evaluate.marking import Marker, pinned_answers
from flows.evaluate.papers import Paper, read_papers
from flows.evaluate.questions import Row
from flows.evaluate.spending import purse_of
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
    judging: Judged = field(default_factory=Judged)
    answers: int = 0
    failed: int = 0
    scores: int = 0
    unscored: int = 0
    comparisons: int = 0

    def summary(self) -> str:
        """One line for people."""
        spent = f"{self.asking.asked:,} asked, {self.asking.reused:,} reused, {self.asking.spent_usd:.2f} USD"
        stopped = "; the budget ran out" if self.asking.budget_ran_out else ""
        judged = f"; {self.judging.summary()}" if self.judging != Judged() else ""
        return f"{spent}, {self.unscored:,} of {self.scores:,} scores unscored{stopped}{judged}"


def evaluate_night(
    config: Config, day: date, run_id: str, clients: models.ClientFactory | None = None
) -> EvaluationResult:
    """Put the holdouts that were frozen on `day` to every model, and land completions, scores and comparisons.

    `clients` makes the client of a model (default: litellm's). Run again, it asks only what has no answer yet, and
    scores anew. Raises ConfigError for wrong criteria, schemas or prompts, before anything is asked.
    """
    asking = ask_night(config, day, run_id, clients)
    return score_night(config, day, run_id, asking, judge_night(config, day, run_id, clients=clients))


def judge_night(config: Config, day: date, run_id: str, *, clients: models.ClientFactory | None = None) -> Judged:
    """Put to the judge what landed in `completions`, on routes that have a judge's criterion; see `judging.judge`."""
    return judge_papers(config, day, run_id, read_papers(config, day), clients=clients)


def judge_papers(
    config: Config,
    day: date,
    run_id: str,
    papers: Iterable[Paper],
    *,
    clients: models.ClientFactory | None = None,
) -> Judged:
    """The same for papers of one's own."""
    judged = [paper for paper in papers if _has_judge(paper)]
    if not judged:
        return Judged()
    asks = _asks(config, day, run_id, judged)
    return judging.judge(config, day, run_id, asks, purse_of(config, day, run_id), clients=clients)


def _has_judge(paper: Paper) -> bool:
    return any(criterion.judge for criterion in paper.criteria)


def _asks(config: Config, day: date, run_id: str, papers: Iterable[Paper]) -> Iterator[Ask]:
    """What the judge is to be asked about a run's answers."""
    markers = _markers(config, day, run_id, papers, {})
    for answers in _answers(config, day, run_id):
        for marker in markers:
            yield from marker.asks(marker.mine(answers))


def _answers(config: Config, day: date, run_id: str) -> Iterator[list[Row]]:
    for batch in Lake.of(config).batches("completions", day, _COLUMNS, run_id):
        yield batch.to_pylist()


def _markers(
    config: Config, day: date, run_id: str, papers: Iterable[Paper], replies: Mapping[str, Reply]
) -> list[Marker]:
    """The markers of the routes. Where a judge compares answers, the pinned model's are held in memory."""
    papers = list(papers)
    pinned = config.all_models()[0].name if papers else ""
    comparing = {paper.name for paper in papers if any(criterion.is_pairwise for criterion in paper.criteria)}
    theirs: dict[str, dict[tuple[str, int], str]] = {name: {} for name in comparing}
    for answers in _answers(config, day, run_id) if comparing else ():
        for name, known in theirs.items():
            known.update(pinned_answers(pinned, (row for row in answers if row["route"] == name)))
    return [Marker(paper, pinned, theirs.get(paper.name, {}), replies) for paper in papers]


def score_night(
    config: Config, day: date, run_id: str, asking: Asked | None = None, judged: Judged | None = None
) -> EvaluationResult:
    """Score what landed in `completions`, and land scores, estimates and comparisons. No model is asked."""
    return score_papers(config, day, run_id, read_papers(config, day), asking=asking, judged=judged)


def score_papers(
    config: Config,
    day: date,
    run_id: str,
    papers: Sequence[Paper],
    *,
    asking: Asked | None = None,
    judged: Judged | None = None,
) -> EvaluationResult:
    """The same for papers of one's own.

    Answers are read and scores written some thousand at once: memory holds the examples, the tallies and the judge's
    replies.
    """
    lake, counts = Lake.of(config), Counter[str]()
    replies = judging.replies(config, day) if any(map(_has_judge, papers)) else {}
    markers = _markers(config, day, run_id, papers, replies)
    tallies: dict[str, dict[tuple[str, str], comparison.Tally]] = {paper.name: {} for paper in papers}
    with lake.writing("scores", day, run_id) as land:
        for answers in _answers(config, day, run_id):
            for marker in markers:
                landed, counted = marker.mark(marker.mine(answers))
                comparison.tally(counted, tallies[marker.paper.name])
                counts.update(scores=len(landed), unscored=sum(row["passed"] is None for row in landed))
                land(from_rows(landed, "scores"))
            counts.update(answers=len(answers), failed=sum(row["status"] != "ok" for row in answers))
    comparisons = _compare(config, day, run_id, markers, tallies)
    standing.land(lake, day, run_id, papers)
    result = EvaluationResult(
        run_id=run_id,
        asking=asking or Asked(reused=counts["answers"]),
        judging=judged or Judged(),
        comparisons=comparisons,
        **counts,
    )
    log.info("evaluated: %s", result.summary())
    return result


def _compare(
    config: Config,
    day: date,
    run_id: str,
    markers: Iterable[Marker],
    tallies: Mapping[str, comparison.Tallies],
) -> int:
    """Land estimates and comparisons, and count the comparisons."""
    lake = Lake.of(config)
    estimates: list[Row] = []
    comparisons: list[Row] = []
    for marker in markers:
        paper = marker.paper
        names = [arm.model.name for arm in paper.arms]
        night = Evaluated(
            run_id,
            paper.name,
            names,
            paper.examples,
            marker.criteria(),
            paper.route.repeats,
            paper.route.margin,
            topics_of(lake, day, paper.name),
        )
        estimates += comparison.estimates(night, tallies[paper.name])
        comparisons += comparison.comparisons(night, tallies[paper.name])
    lake.write("estimates", day, from_rows(estimates, "estimates"), run_id)
    lake.write("comparisons", day, from_rows(comparison.with_q_values(comparisons), "comparisons"), run_id)
    return len(comparisons)

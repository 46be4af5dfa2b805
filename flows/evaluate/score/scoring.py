"""Scoring: what landed in `completions` held against the criteria, and the models against each other."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from flows.config import Config
from flows.evaluate.criteria import JudgeRequest, Reply
from flows.evaluate.examples import topics_of
from flows.evaluate.generate import GenerationResult, JudgingResult, Row, ask_judge, budget_of, judge_replies
from flows.evaluate.score import comparison, leaderboard
from flows.evaluate.score.answer_scoring import RouteScorer, pinned_answers
from flows.evaluate.score.comparison import Evaluated
from flows.evaluate.setup import EvalTask
from flows.lake import from_rows
from flows.llm import ClientFactory

log = logging.getLogger(__name__)

_COLUMNS = (
    *("run_id", "model", "route", "example_id", "repeat"),
    *("output_text", "latency_ms", "cost_usd", "status", "error_type"),
)


@dataclass(frozen=True)
class EvaluationResult:
    """What a night's evaluation came to. Of `answers` so many `failed`; of `scores` so many are `unscored`."""

    run_id: str
    asking: GenerationResult = field(default_factory=GenerationResult)
    judging: JudgingResult = field(default_factory=JudgingResult)
    answers: int = 0
    failed: int = 0
    scores: int = 0
    unscored: int = 0
    comparisons: int = 0

    def summary(self) -> str:
        """One line for people."""
        spent = f"{self.asking.asked:,} asked, {self.asking.reused:,} reused, {self.asking.spent_usd:.2f} USD"
        stopped = "; the budget ran out" if self.asking.budget_ran_out else ""
        judged = f"; {self.judging.summary()}" if self.judging != JudgingResult() else ""
        return f"{spent}, {self.unscored:,} of {self.scores:,} scores unscored{stopped}{judged}"


def judge_tasks(
    config: Config,
    day: date,
    run_id: str,
    papers: Iterable[EvalTask],
    *,
    clients: ClientFactory | None = None,
) -> JudgingResult:
    """Put to the judge what landed in `completions`, on routes that have a judge's criterion; see `ask_judge`."""
    judged = [paper for paper in papers if _has_judge(paper)]
    if not judged:
        return JudgingResult()
    asks = _asks(config, day, run_id, judged)
    return ask_judge(config, day, run_id, asks, budget_of(config, day, run_id), clients=clients)


def _has_judge(paper: EvalTask) -> bool:
    return any(criterion.judge for criterion in paper.criteria)


def _asks(config: Config, day: date, run_id: str, papers: Iterable[EvalTask]) -> Iterator[JudgeRequest]:
    """What the judge is to be asked about a run's answers."""
    markers = _markers(config, day, run_id, papers, {})
    for answers in _answers(config, day, run_id):
        for marker in markers:
            yield from marker.asks(marker.mine(answers))


def _answers(config: Config, day: date, run_id: str) -> Iterator[list[Row]]:
    for batch in config.open_lake().batches("completions", day, _COLUMNS, run_id):
        yield batch.to_pylist()


def _markers(
    config: Config, day: date, run_id: str, papers: Iterable[EvalTask], replies: Mapping[str, Reply]
) -> list[RouteScorer]:
    """The markers of the routes. Where a judge compares answers, the pinned model's are held in memory."""
    papers = list(papers)
    pinned = config.all_models()[0].name if papers else ""
    comparing = {paper.name for paper in papers if any(criterion.is_pairwise for criterion in paper.criteria)}
    theirs: dict[str, dict[tuple[str, int], str]] = {name: {} for name in comparing}
    for answers in _answers(config, day, run_id) if comparing else ():
        for name, known in theirs.items():
            known.update(pinned_answers(pinned, (row for row in answers if row["route"] == name)))
    return [RouteScorer(paper, pinned, theirs.get(paper.name, {}), replies) for paper in papers]


def score_tasks(
    config: Config,
    day: date,
    run_id: str,
    papers: Sequence[EvalTask],
    *,
    asking: GenerationResult | None = None,
    judged: JudgingResult | None = None,
) -> EvaluationResult:
    """Score what landed in `completions`, and land scores, estimates and comparisons. No model is asked.

    Answers are read and scores written some thousand at once: memory holds the examples, the tallies and the judge's
    replies.
    """
    lake, counts = config.open_lake(), Counter[str]()
    replies = judge_replies(config, day) if any(map(_has_judge, papers)) else {}
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
    leaderboard.land_leaderboard(lake, day, run_id, papers)
    result = EvaluationResult(
        run_id=run_id,
        asking=asking or GenerationResult(reused=counts["answers"]),
        judging=judged or JudgingResult(),
        comparisons=comparisons,
        **counts,
    )
    log.info("evaluated: %s", result.summary())
    return result


def _compare(
    config: Config,
    day: date,
    run_id: str,
    markers: Iterable[RouteScorer],
    tallies: Mapping[str, comparison.Tallies],
) -> int:
    """Land estimates and comparisons, and count the comparisons."""
    lake = config.open_lake()
    estimates: list[Row] = []
    comparisons: list[Row] = []
    for marker in markers:
        paper = marker.paper
        night = Evaluated(
            run_id,
            paper.name,
            [arm.model for arm in paper.arms],
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

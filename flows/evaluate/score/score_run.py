"""Scoring: apply the criteria to the answers in `completions`, and compare the models."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date

from flows.config import Config
from flows.evaluate.criteria import JudgeRequest, Reply
from flows.evaluate.examples import topics_of
from flows.evaluate.generate import GenerationResult, JudgingResult, Row, ask_judge, budget_of, judge_replies
from flows.evaluate.score import comparison, leaderboard
from flows.evaluate.score.answer_scoring import RouteScorer, pinned_answers
from flows.evaluate.score.comparison import RouteEvaluation
from flows.evaluate.score.spread_answers import COLUMNS, scored_by
from flows.evaluate.setup import EvalTask
from flows.lake import from_rows
from flows.llm import ClientFactory

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EvaluationResult:
    """The result of an evaluation. `failed` is counted among `answers`, `unscored` among `scores`."""

    run_id: str
    generation: GenerationResult = field(default_factory=GenerationResult)
    judging: JudgingResult = field(default_factory=JudgingResult)
    answers: int = 0
    failed: int = 0
    scores: int = 0
    unscored: int = 0
    comparisons: int = 0

    def summary(self) -> str:
        """One line for people."""
        sent = f"{self.generation.asked:,} requests sent, {self.generation.reused:,} answers reused"
        spent = f"{self.generation.spent_usd:.2f} USD"
        stopped = "; the budget ran out" if self.generation.budget_ran_out else ""
        judged = f"; {self.judging.summary()}" if self.judging != JudgingResult() else ""
        return f"{sent}, {spent}; {self.scores:,} scores, {self.unscored:,} unscored{stopped}{judged}"


def judge_tasks(
    config: Config,
    day: date,
    run_id: str,
    tasks: Iterable[EvalTask],
    *,
    clients: ClientFactory | None = None,
) -> JudgingResult:
    """Send the answers in `completions` to the LLM judge, on routes with a judge criterion; see `ask_judge`."""
    judged = [task for task in tasks if _has_judge(task)]
    if not judged:
        return JudgingResult()
    requests = _judge_requests(config, day, run_id, judged)
    return ask_judge(config, day, run_id, requests, budget_of(config, day, run_id), clients=clients)


def _has_judge(task: EvalTask) -> bool:
    return any(criterion.judge for criterion in task.criteria)


def _judge_requests(config: Config, day: date, run_id: str, tasks: Iterable[EvalTask]) -> Iterator[JudgeRequest]:
    """The judge requests for a run's answers."""
    route_scorers = _route_scorers(config, day, run_id, tasks, {})
    for answers in _answers(config, day, run_id):
        for route_scorer in route_scorers:
            yield from route_scorer.requests_for_judge(route_scorer.of_route(answers))


def _answers(config: Config, day: date, run_id: str) -> Iterator[list[Row]]:
    for batch in config.open_lake().batches("completions", day, COLUMNS, run_id):
        yield batch.to_pylist()


def _route_scorers(
    config: Config, day: date, run_id: str, tasks: Iterable[EvalTask], replies: Mapping[str, Reply]
) -> list[RouteScorer]:
    """The scorers of the routes. With a pairwise judge, the pinned model's answers are kept in memory."""
    tasks = list(tasks)
    pinned = config.all_models()[0].name if tasks else ""
    pairwise_routes = {task.name for task in tasks if any(criterion.is_pairwise for criterion in task.criteria)}
    pinned_texts: dict[str, dict[tuple[str, int], str]] = {name: {} for name in pairwise_routes}
    for answers in _answers(config, day, run_id) if pairwise_routes else ():
        for name, known in pinned_texts.items():
            known.update(pinned_answers(pinned, (row for row in answers if row["route"] == name)))
    return [RouteScorer(task, pinned, pinned_texts.get(task.name, {}), replies) for task in tasks]


def score_tasks(
    config: Config,
    day: date,
    run_id: str,
    tasks: Sequence[EvalTask],
    *,
    generation: GenerationResult | None = None,
    judged: JudgingResult | None = None,
) -> EvaluationResult:
    """Score the answers in `completions`; write scores, estimates, comparisons and the leaderboard. Sends no request.

    Answers are processed a few thousand at a time. Memory holds the examples, the tallies and the judge's replies.
    On a cluster (`engine.tasks`) its workers apply the criteria that need an answer and its example only.
    """
    lake, counts = config.open_lake(), Counter[str]()
    replies = judge_replies(config, day) if any(map(_has_judge, tasks)) else {}
    route_scorers = _route_scorers(config, day, run_id, tasks, replies)
    tallies: dict[str, dict[tuple[str, str], comparison.Tally]] = {task.name: {} for task in tasks}
    with (
        lake.writing("scores", day, run_id) as land,
        config.engine.open_tasks() as cluster,
        closing(scored_by(cluster, config, day, run_id, route_scorers)) as scored,
    ):
        for answers, known in zip(_answers(config, day, run_id), scored, strict=False):
            for route_scorer in route_scorers:
                found = known.get(route_scorer.task.name)
                landed, counted = route_scorer.score_batch(route_scorer.of_route(answers), found)
                comparison.tally(counted, tallies[route_scorer.task.name])
                counts.update(scores=len(landed), unscored=sum(row["passed"] is None for row in landed))
                land(from_rows(landed, "scores"))
            counts.update(answers=len(answers), failed=sum(row["status"] != "ok" for row in answers))
    comparisons = _compare(config, day, run_id, route_scorers, tallies)
    leaderboard.land_leaderboard(lake, day, run_id, tasks)
    result = EvaluationResult(
        run_id=run_id,
        generation=generation or GenerationResult(reused=counts["answers"]),
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
    route_scorers: Iterable[RouteScorer],
    tallies: Mapping[str, comparison.Tallies],
) -> int:
    """Write estimates and comparisons; returns the number of comparisons."""
    lake = config.open_lake()
    estimates: list[Row] = []
    comparisons: list[Row] = []
    for route_scorer in route_scorers:
        task = route_scorer.task
        evaluation = RouteEvaluation(
            run_id,
            task.name,
            [variant.model for variant in task.variants],
            task.examples,
            route_scorer.criteria(),
            task.route.repeats,
            task.route.margin,
            topics_of(lake, day, task.name),
        )
        estimates += comparison.estimates(evaluation, tallies[task.name])
        comparisons += comparison.comparisons(evaluation, tallies[task.name])
    lake.write("estimates", day, from_rows(estimates, "estimates"), run_id)
    lake.write("comparisons", day, from_rows(comparison.with_q_values(comparisons), "comparisons"), run_id)
    return len(comparisons)

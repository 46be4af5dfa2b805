"""The evaluation of one night: ask, land, score, compare."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows import models
from flows.config import Config, Route
from flows.evaluate import comparison, criteria, prompts
from flows.evaluate.comparison import Evaluated
from flows.evaluate.criteria import Criterion
from flows.evaluate.holdout import Example, read_holdout
from flows.evaluate.runner import Outcome, Question, Row, answered, ask_all, read_journal
from flows.evaluate.schemas import hash_of, load_schema
from flows.evaluate.scorers import Response, Score, score, unscored
from flows.lake import Lake, from_rows

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What asking came to: answers paid for now and before, and USD spent now on answers with a known price."""

    asked: int = 0
    reused: int = 0
    spent_usd: float = 0.0
    budget_ran_out: bool = False


@dataclass(frozen=True)
class EvaluationResult:
    """What a night's evaluation came to. Of `answers` so many `failed`; of `scores` so many are `unscored`."""

    run_id: str
    asking: Asked = Asked()
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


@dataclass(frozen=True)
class Paper:
    """One route's questions, before they are asked."""

    name: str
    route: Route
    examples: Sequence[Example]
    criteria: Sequence[Criterion]


def evaluate_night(
    config: Config, day: date, run_id: str, clients: models.ClientFactory | None = None
) -> EvaluationResult:
    """Put the holdouts that were frozen on `day` to every model, and land completions, scores and comparisons.

    `clients` makes the client of a model (default: litellm's). Run again, it asks only what has no answer yet, and
    scores anew. Raises ConfigError for wrong criteria, schemas or prompts, before anything is asked.
    """
    return score_night(config, day, run_id, ask_night(config, day, run_id, clients))


def check_setup(config: Config) -> None:
    """Read all that an evaluation and the check of production answers rest on, so that what is wrong is said first.

    Raises ConfigError for a wrong criterion, schema or prompt.
    """
    for route in config.routes.values():
        if route.criteria is not None:
            criteria.load(route.criteria, config.workspace, route.output_schema)
        elif route.output_schema is not None:
            load_schema(route.output_schema)
    for model in config.all_models():
        prompts.load(model, config.workspace)


def read_papers(config: Config, day: date) -> list[Paper]:
    """The evaluated routes with their examples and criteria. Raises ConfigError."""
    lake = Lake.of(config)
    papers: list[Paper] = []
    if config.models is None:
        log.info("no models are configured: nothing to evaluate")
        return papers
    for name, route in config.evaluated_routes().items():
        assert route.criteria is not None
        examples = read_holdout(lake, day, name)
        if not examples:
            log.warning("route %s: no holdout was frozen on %s; its rates are unknown", name, day)
        papers.append(
            Paper(name, route, examples, criteria.load(route.criteria, config.workspace, route.output_schema))
        )
    return papers


def ask_night(
    config: Config, day: date, run_id: str, clients: models.ClientFactory | None = None, *, other_nights: bool = False
) -> Asked:
    """Ask what is not answered yet, and land all answers in `completions`; the journal is then taken away.

    With `other_nights`, what any night has answered counts: a backfill does not ask a live model about the past
    again. A night of its own asks anew, for a model may have changed behind its name.
    """
    lake = Lake.of(config)
    journal = lake.journal(run_id)
    questions = list(_questions(config, run_id, read_papers(config, day)))
    landed = lake.read("completions", day, run_id).to_pylist()
    known = answered([*(_stored(lake) if other_nights else ()), *landed, *read_journal(journal)])
    outcome = asyncio.run(_ask(config, questions, journal, known, clients))
    lake.write("completions", day, from_rows(outcome.rows, "completions"), run_id)
    journal.unlink(missing_ok=True)
    asked = Asked(outcome.asked, outcome.reused, outcome.spent_usd, outcome.budget_ran_out)
    log.info("asked: %s", asked)
    return asked


def _stored(lake: Lake) -> Iterator[Row]:
    """Every night's answers, oldest first."""
    for day in lake.days("completions"):
        yield from lake.read("completions", day).to_pylist()


def score_night(config: Config, day: date, run_id: str, asking: Asked | None = None) -> EvaluationResult:
    """Score what landed in `completions`, and land scores, estimates and comparisons. No model is asked."""
    lake = Lake.of(config)
    completions = lake.read("completions", day, run_id).to_pylist()
    names = [model.name for model in config.all_models()]
    scores: list[Row] = []
    estimates: list[Row] = []
    comparisons: list[Row] = []
    for paper in read_papers(config, day):
        mine = list(_score(paper, [row for row in completions if row["route"] == paper.name]))
        night = Evaluated(
            run_id, paper.name, names, paper.examples, paper.criteria, paper.route.repeats, paper.route.margin
        )
        tallies = comparison.tally(mine)
        scores += mine
        estimates += comparison.estimates(night, tallies)
        comparisons += comparison.comparisons(night, tallies)
    lake.write("scores", day, from_rows(scores, "scores"), run_id)
    lake.write("estimates", day, from_rows(estimates, "estimates"), run_id)
    lake.write("comparisons", day, from_rows(comparison.with_q_values(comparisons), "comparisons"), run_id)
    result = EvaluationResult(
        run_id=run_id,
        asking=asking or Asked(reused=len(completions)),
        answers=len(completions),
        failed=sum(row["status"] != "ok" for row in completions),
        scores=len(scores),
        unscored=sum(row["passed"] is None for row in scores),
        comparisons=len(comparisons),
    )
    log.info("evaluated: %s", result.summary())
    return result


async def _ask(
    config: Config,
    questions: Sequence[Question],
    journal: Path,
    known: Mapping[tuple[str, str, str, int, str], Row],
    clients: models.ClientFactory | None,
) -> Outcome:
    open_questions = {question.model for question in questions if question.key not in known}
    pacer = models.Pacer(config.budget.requests_per_minute)
    make = clients or (lambda model: models.LiteLLMClient(model, pacer))
    ready = {model.name: make(model) for model in config.all_models() if model.name in open_questions}
    try:
        return await ask_all(
            questions, ready, journal, known, budget_usd=config.budget.usd, concurrency=config.budget.concurrency
        )
    finally:
        await models.close_clients()


def _questions(config: Config, run_id: str, papers: Sequence[Paper]) -> Iterator[Question]:
    """Example by example, each to all models: should the budget end, the pairs so far are whole."""
    loaded = [(model, prompts.load(model, config.workspace)) for model in config.all_models()]
    for paper in papers:
        for repeat in range(paper.route.repeats):
            for example in paper.examples:
                for place, (model, prompt) in enumerate(loaded):
                    arm = "candidate" if place else "pinned"
                    messages = prompts.messages_for(example, prompt)
                    yield Question(
                        run_id=run_id,
                        model=model.name,
                        arm=arm,
                        route=paper.name,
                        example_id=example.example_id,
                        repeat=repeat,
                        holdout_version=example.version,
                        prompt_version=prompt.version if prompt else None,
                        request_hash=hash_of(model.model, model.api_base, model.params, messages),
                        messages=messages,
                        params=model.params,
                    )


def _score(paper: Paper, completions: Sequence[Row]) -> Iterator[Row]:
    examples = {example.example_id: example for example in paper.examples}
    for row in completions:
        for criterion in paper.criteria:
            found = _score_one(criterion, examples.get(row["example_id"]), row)
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

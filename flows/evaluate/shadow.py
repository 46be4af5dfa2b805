"""The shadow: a sample of the day's own inputs put to the candidates, and compared with what production answered.

Production's answers are the pinned arm, and cost nothing more. The criteria are those that need no `expected`. What
candidates answer goes to `completions` and never to `interactions`: it is no production.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from flows.config import Config
from flows.errors import ConfigError
from flows.evaluate.criteria import criteria_of_route
from flows.evaluate.examples import Example, read_holdout
from flows.evaluate.generate import (
    EvalRun,
    Row,
    appending,
    budget_of,
    generate_answers,
    note,
    requests_of_run,
    shadow_run_id,
)
from flows.evaluate.score import judge_tasks, score_tasks
from flows.evaluate.setup import PRODUCTION, Drawn, EvalTask, Variant, draw_calls, task_variants
from flows.lake import Lake, from_rows
from flows.llm import ClientFactory

log = logging.getLogger(__name__)

_TABLES = ("completions", "scores", "estimates", "comparisons", "model_variants", "shadow_samples")


@dataclass(frozen=True)
class Shadowed:
    """How many calls were drawn, how many answers candidates gave to them now, and what these cost in USD."""

    calls: int = 0
    asked: int = 0
    spent_usd: float = 0.0

    def summary(self) -> str:
        """One line for people."""
        return f"{self.calls:,} of the day's calls, {self.asked:,} asked, {self.spent_usd:.2f} USD"


def shadow_day(config: Config, day: date, clients: ClientFactory | None = None) -> Shadowed:
    """Put a sample of the calls of `day` to the candidates; land answers, scores and comparisons as `shadow-<day>`.

    The night's budget is that of both: the shadow has what the night has left. Run again, it asks only what has no
    answer yet. Raises ConfigError for wrong criteria or prompts.
    """
    lake, run_id = config.open_lake(), shadow_run_id(day)
    drawn = _draw(config, lake, day)
    papers = list(_papers(config, lake, day, drawn))
    if not papers:
        for table in _TABLES:
            lake.remove(table, day, run_id)
        return Shadowed()
    lake.write("shadow_samples", day, from_rows(_samples(run_id, drawn), "shadow_samples"), run_id)
    _note_production(lake, run_id, papers, drawn)
    sheet = EvalRun(config, day, run_id, papers, in_batches=False)
    asked = generate_answers(sheet, budget_of(config, day, run_id), clients)
    judged = judge_tasks(config, day, run_id, papers, clients=clients)
    score_tasks(config, day, run_id, papers, asking=asked, judged=judged)
    return Shadowed(sum(len(paper.examples) for paper in papers), asked.asked, asked.spent_usd)


def _draw(config: Config, lake: Lake, day: date) -> dict[str, Drawn]:
    if not config.models or not config.shadow.samples_per_day:
        return {}
    found = {route: draw_calls(lake, day, route, config.shadow.samples_per_day) for route in config.evaluated_routes()}
    return {route: drawn for route, drawn in found.items() if drawn.calls}


def _papers(config: Config, lake: Lake, day: date, drawn: dict[str, Drawn]) -> Iterator[EvalTask]:
    for name, sample in drawn.items():
        route = config.routes[name]
        useful = [one for one in criteria_of_route(config, route) if not one.needs_expected]
        examples = [call.example for call in sample.calls]
        pinned, *candidates = task_variants(config, lake, day, name, read_holdout(lake, day, name))
        askable = [arm for arm in candidates if _is_askable(arm, examples)]
        if useful and askable:
            once = route.model_copy(update={"repeats": 1, "limit": None})
            yield EvalTask(name, once, examples, useful, [replace(pinned, prompt=None), *askable])


def _is_askable(arm: Variant, examples: Sequence[Example]) -> bool:
    """Whether production's calls have all that the arm's prompt asks for."""
    try:
        for example in examples:
            arm.messages_for(example)
    except ConfigError as error:
        log.warning("%s takes no part in the shadow: %s", arm.model.name, error)
        return False
    return True


def _samples(run_id: str, drawn: dict[str, Drawn]) -> Iterator[Row]:
    for route, sample in drawn.items():
        for call in sample.calls:
            yield {
                "run_id": run_id,
                "route": route,
                "call_id": call.example.example_id,
                "n_eligible": sample.n_eligible,
                "inclusion_probability": sample.probability,
            }


def _note_production(lake: Lake, run_id: str, papers: Sequence[EvalTask], drawn: dict[str, Drawn]) -> None:
    """Note production's answers as the pinned arm's, so that it is not asked."""
    answers = {(name, call.example.example_id): call.answer for name, sample in drawn.items() for call in sample.calls}
    place = lake.journal(run_id)
    with appending(place) as file:
        for question in requests_of_run(run_id, papers):
            if question.arm == "pinned":
                answer = answers[question.route, question.example_id]
                note(file, {**question.place, **answer, "status": "ok", "reused_from": PRODUCTION})

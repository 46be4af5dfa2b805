"""The shadow: send a sample of the day's production inputs to the candidates; compare with production's answers.

Production's answers are the pinned arm, at no extra cost. Only criteria that need no `expected` apply. The candidates'
answers go to `completions`, never to `interactions`, because they are not production traffic.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from flows.config import Config, size_on
from flows.errors import ConfigError
from flows.evaluate.examples import Example, read_holdout
from flows.evaluate.generate import (
    EvalRun,
    Row,
    append_answer,
    budget_of,
    generate_answers,
    open_for_append,
    requests_of_run,
    shadow_run_id,
)
from flows.evaluate.score import judge_tasks, score_tasks
from flows.evaluate.setup import PRODUCTION, CallSample, EvalSetup, EvalTask, Variant, draw_calls, task_variants
from flows.lake import Lake, from_rows
from flows.llm import ClientFactory

log = logging.getLogger(__name__)

_TABLES = ("completions", "scores", "estimates", "comparisons", "model_variants", "shadow_samples")


@dataclass(frozen=True)
class ShadowResult:
    """The number of sampled calls, the number of requests sent to candidates, and their cost in USD."""

    calls: int = 0
    asked: int = 0
    spent_usd: float = 0.0

    def summary(self) -> str:
        """One line for people."""
        return f"{self.calls:,} calls sampled, {self.asked:,} requests sent, {self.spent_usd:.2f} USD"


def shadow_day(setup: EvalSetup, day: date, clients: ClientFactory | None = None) -> ShadowResult:
    """Send a sample of the calls of `day` to the candidates; write answers, scores and comparisons as `shadow-<day>`.

    The shadow spends what is left of the night's budget. A second run sends only requests that have no answer yet.
    """
    config = setup.config
    lake, run_id = config.open_lake(), shadow_run_id(day)
    drawn = _draw(config, lake, day)
    tasks = list(_tasks(setup, lake, day, drawn))
    if not tasks:
        for table in _TABLES:
            lake.remove(table, day, run_id)
        return ShadowResult()
    lake.write("shadow_samples", day, from_rows(_sample_rows(run_id, drawn), "shadow_samples"), run_id)
    _journal_production(lake, run_id, tasks, drawn)
    run = EvalRun(config, day, run_id, tasks, use_batch_api=False)
    asked = generate_answers(run, budget_of(config, day, run_id), clients)
    judged = judge_tasks(config, day, run_id, tasks, clients=clients)
    score_tasks(config, day, run_id, tasks, generation=asked, judged=judged)
    return ShadowResult(sum(len(task.examples) for task in tasks), asked.asked, asked.spent_usd)


def _draw(config: Config, lake: Lake, day: date) -> dict[str, CallSample]:
    if not config.models:
        return {}
    sizes = {route: size_on(config, route, "shadow_samples") for route in config.evaluated_routes()}
    found = {route: draw_calls(lake, day, route, size) for route, size in sizes.items() if size}
    return {route: drawn for route, drawn in found.items() if drawn.calls}


def _tasks(setup: EvalSetup, lake: Lake, day: date, drawn: dict[str, CallSample]) -> Iterator[EvalTask]:
    for name, sample in drawn.items():
        route = setup.config.routes[name]
        useful = [one for one in setup.criteria[name] if not one.needs_expected]
        examples = [call.example for call in sample.calls]
        pinned, *candidates = task_variants(setup, lake, day, name, read_holdout(lake, day, name))
        usable = [variant for variant in candidates if _is_usable(variant, examples)]
        if useful and usable:
            once = route.model_copy(update={"repeats": 1, "limit": None})
            yield EvalTask(name, once, examples, useful, [replace(pinned, prompt=None), *usable])


def _is_usable(variant: Variant, examples: Sequence[Example]) -> bool:
    """Whether the production calls have every placeholder of the variant's prompt."""
    try:
        for example in examples:
            variant.messages_for(example)
    except ConfigError as error:
        log.warning("%s is left out of the shadow: %s", variant.model.name, error)
        return False
    return True


def _sample_rows(run_id: str, drawn: dict[str, CallSample]) -> Iterator[Row]:
    for route, sample in drawn.items():
        for call in sample.calls:
            yield {
                "run_id": run_id,
                "route": route,
                "call_id": call.example.example_id,
                "n_eligible": sample.n_eligible,
                "inclusion_probability": sample.probability,
            }


def _journal_production(lake: Lake, run_id: str, tasks: Sequence[EvalTask], drawn: dict[str, CallSample]) -> None:
    """Write production's answers to the journal as those of the pinned arm, so that no request is sent for it."""
    answers = {(name, call.example.example_id): call.answer for name, sample in drawn.items() for call in sample.calls}
    place = lake.journal(run_id)
    with open_for_append(place) as file:
        for request in requests_of_run(run_id, tasks):
            if request.arm == "pinned":
                answer = answers[request.route, request.example_id]
                append_answer(file, {**request.columns, **answer, "status": "ok", "reused_from": PRODUCTION})

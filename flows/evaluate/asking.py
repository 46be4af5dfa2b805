"""Asking: the holdouts put to every model, and the answers landed in `completions`."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flows import models
from flows.config import Config
from flows.evaluate import prompts
from flows.evaluate.papers import Paper, read_papers
from flows.evaluate.runner import Outcome, Question, Row, answered, ask_all, read_journal
from flows.evaluate.schemas import hash_of
from flows.lake import Lake, from_rows

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What asking came to: answers paid for now and before, and USD spent now on answers with a known price."""

    asked: int = 0
    reused: int = 0
    spent_usd: float = 0.0
    budget_ran_out: bool = False


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

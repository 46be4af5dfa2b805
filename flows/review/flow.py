"""The wiring of the review: the night draws the queue of its day."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flows.config import Config
from flows.prefect_run import STAGE_S, flow, task
from flows.review.labels import Collected, collect
from flows.review.queue import Question, QueueResult, add_items, draw_queue


@task(name="collect labels")
def collect_labels(config: Config) -> Collected:
    """Move what people judged since the last night into the lake."""
    return collect(config)


@task(name="draw the queue", task_run_name="draw the queue {day}")
def draw(config: Config, day: date, questions: Sequence[Question]) -> QueueResult:
    """Draw the answers that people are asked to judge, unless labels hang on the queue already.

    Labels are brought into the lake first, and once more when all is drawn: people may judge meanwhile, and a queue
    that they judge is not to be replaced.
    """
    return draw_queue(config, day, questions, lambda: collect(config))


@task(name="add to the queue", task_run_name="add to the queue {day}")
def relabel(config: Config, day: date, items: Sequence[Mapping[str, Any]]) -> int:
    """Put answers that were judged by an earlier version of a criterion into the queue, after what was drawn."""
    return add_items(config.open_lake(), day, items)


@flow(name="labels", timeout_seconds=STAGE_S)
def labels(config: Config) -> Collected:
    """Bring people's labels into the lake, before the marts are built from them."""
    return collect_labels(config)


@flow(name="review", flow_run_name="review {day}", timeout_seconds=STAGE_S)
def review(
    config: Config, day: date, questions: Sequence[Question], judged_before: Sequence[Mapping[str, Any]] = ()
) -> QueueResult:
    """Make the queue of `day`; `questions` are the criteria that a judge decides on production's answers.

    `judged_before` are answers to judge again, because their criterion has changed; see `add_items`.
    """
    drawn = draw(config, day, questions)
    relabel(config, day, judged_before)
    return drawn

"""The semantics stage as a Prefect flow: the days' texts are embedded, then their topics are found."""

from datetime import date

from flows.config import Config
from flows.prefect_run import STAGE_S, flow, task
from flows.semantics import run
from flows.semantics.vectors import Embedded


@task(name="embed texts", task_run_name="embed texts {first} to {last}")
def embed(config: Config, first: date, last: date) -> Embedded:
    """Embed those texts of the days that are not embedded yet."""
    return run.embed_days(config, first, last)


@task(name="find topics", task_run_name="find topics {first} to {last}")
def find_topics(config: Config, first: date, last: date) -> run.TopicsResult:
    """Assign the days' texts to topics, and test for new topics."""
    return run.find_topics(config, first, last)


@flow(name="semantics", flow_run_name="semantics {first} to {last}", timeout_seconds=STAGE_S)
def semantics(config: Config, first: date, last: date) -> run.SemanticsResult:
    """Embed the texts of the days from `first` to `last` and find their topics."""
    embedded = embed(config, first, last)
    return run.SemanticsResult(embedded, find_topics(config, first, last))

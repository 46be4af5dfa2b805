"""Prefect's wiring of the semantics: the days' texts are embedded, then their topics found."""

from datetime import date

from prefect import flow, task

from flows.config import load_config
from flows.semantics import run
from flows.semantics.vectors import Embedded


@task(name="embed texts", persist_result=False)
def embed(config_path: str, first: date, last: date) -> Embedded:
    """Embed what the days' texts have that is not embedded yet."""
    return run.embed_days(load_config(config_path), first, last)


@task(name="find topics", persist_result=False)
def find_topics(config_path: str, first: date, last: date) -> run.TopicsResult:
    """Assign the days' texts to topics, and test for what is new."""
    return run.find_topics(load_config(config_path), first, last)


@flow(name="semantics", persist_result=False)
def semantics(config_path: str, first: date, last: date) -> run.SemanticsResult:
    """What the texts of the days from `first` to `last` are about."""
    embedded = embed(config_path, first, last)
    return run.SemanticsResult(embedded, find_topics(config_path, first, last))

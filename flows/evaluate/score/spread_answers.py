"""Stored answers scored as tasks on a cluster, by the criteria that need an answer and its example only.

What a judge said is looked up where genchi runs, and functions of the workspace run there: they may rest on files
beside them, or ask a server. A task is some thousands of answers; a worker reads them in the lake and returns scores.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain, repeat

from flows.cluster import Tasks
from flows.config import Config
from flows.evaluate.score.answer_scoring import RouteScorer, Scored
from flows.lake import FilePiece, Lake, pieces_of, rows_of_piece

COLUMNS = (
    *("run_id", "model", "route", "example_id", "repeat"),
    *("output_text", "latency_ms", "cost_usd", "status", "error_type", "error_class", "error_message"),
)
"""The columns of `completions` that scoring reads."""
# For each route the scores of its answers, in their order, by criterion.
Known = Mapping[str, Sequence[Mapping[str, Scored]]]


@dataclass(frozen=True, repr=False)
class AnswersJob:
    """What all tasks share. Nothing of it is shown: the lake's storage has secrets."""

    lake: Lake
    scorers: Sequence[RouteScorer]


def scored_by(
    cluster: Tasks | None, config: Config, day: date, run_id: str, scorers: Sequence[RouteScorer]
) -> Generator[Known, None, None]:
    """For each batch of a run's answers what the workers have found, in the order of `Lake.batches`.

    Nothing for any batch where there is no cluster, and nothing to be done on one. Raises RunError as `Tasks.map`.
    """
    mine = [scorer.self_contained() for scorer in scorers]
    mine = [scorer for scorer in mine if scorer.task.criteria]
    if cluster is None or not mine:
        yield from repeat({})
        return
    lake = config.open_lake()
    job = AnswersJob(replace(lake), mine)
    yield from chain.from_iterable(cluster.map(score_answers, pieces_of(lake, "completions", day, run_id), job))


def score_answers(piece: FilePiece, job: AnswersJob) -> list[Known]:
    """One task: the scores of the batches of a piece of `completions`."""
    found: list[Known] = []
    for batch in rows_of_piece(job.lake, piece, COLUMNS):
        answers = batch.to_pylist()
        found.append({scorer.task.name: scorer.scored(scorer.of_route(answers)) for scorer in job.scorers})
    return found

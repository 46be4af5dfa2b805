"""The leaderboard of a run: for each model variant and route, how often an answer passes all decisive criteria.

Decisive are the route's critical criteria, or all of its criteria if none is critical. An answer fails if it fails one
of them. It is unscored if it fails none and is unscored by one. Its score is the lowest that it has by one of them.
An example is unanswered by a variant that has an unscored answer to it, if any variant has a scored one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from flows.evaluate.criteria import Criterion
from flows.evaluate.setup import EvalTask
from flows.lake import Lake, from_rows
from flows.llm import ends_on
from flows.stats.proportions import pass_rate

_COLUMNS = ("model", "route", "criterion", "example_id", "repeat", "passed", "score")
_BY_EXAMPLE = """
with answers as (
    select
        route,
        model,
        example_id,
        case when bool_or(not passed) then false when bool_or(passed is null) then null else true end as passed,
        min(score) as lowest
    from scores
    semi join decisive using (route, criterion)
    group by route, model, example_id, repeat
),

examples as (
    select
        route,
        model,
        example_id,
        list(passed::double) filter (passed is not null) as passed,
        avg(lowest) filter (passed is not null) as score,
        count(*) filter (passed is null) as n_unscored,
        bool_or(bool_or(passed is not null)) over (partition by route, example_id) as can_be_scored
    from answers
    group by route, model, example_id
)

select
    route,
    model,
    list(passed order by example_id) filter (passed is not null) as passed,
    sum(n_unscored)::bigint as n_unscored,
    count(*) filter (can_be_scored and n_unscored > 0) as n_unanswered,
    avg(score order by example_id) as mean_score
from examples
group by route, model
"""


def land_leaderboard(lake: Lake, day: date, run_id: str, tasks: Iterable[EvalTask]) -> None:
    """Land the table `model_variants` of a run, from its rows in `scores`."""
    tasks = list(tasks)
    scores = lake.read("scores", day, run_id, columns=_COLUMNS)
    lake.write("model_variants", day, from_rows(_rows(run_id, tasks, scores), "model_variants"), run_id)


def decisive(criteria: Sequence[Criterion]) -> list[str]:
    """The names of the decisive criteria."""
    critical = [one.name for one in criteria if one.definition.severity == "critical"]
    return critical or [one.name for one in criteria]


@dataclass(frozen=True)
class _Found:
    """What a variant's answers are worth on a route: the passes of each example, and the mean of their scores."""

    passed: Sequence[Sequence[float]] = ()
    n_unscored: int = 0
    n_unanswered: int = 0
    mean_score: float | None = None


def _rows(run_id: str, tasks: Sequence[EvalTask], scores: pa.Table) -> Iterator[dict[str, Any]]:
    by_variant = _by_variant(tasks, scores)
    for task in tasks:
        for variant in task.variants:
            found = by_variant.get((task.name, variant.model.name), _Found())
            rate = pass_rate(found.passed)
            yield {
                "run_id": run_id,
                "route": task.name,
                "model": variant.model.name,
                "arm": variant.model.arm,
                "base": variant.model.base,
                "prompt_version": variant.model.prompt_version,
                "shots": variant.model.shots,
                "ends_on": ends_on(variant.model.model),
                "n_examples": rate.n_examples,
                "n_repeats": task.route.repeats,
                "n_unscored": found.n_unscored,
                "n_unanswered": found.n_unanswered,
                "pass_rate": rate.rate,
                "ci_low": rate.low,
                "ci_high": rate.high,
                "mean_score": found.mean_score,
            }


def _by_variant(tasks: Sequence[EvalTask], scores: pa.Table) -> dict[tuple[str, str], _Found]:
    names = [{"route": task.name, "criterion": name} for task in tasks for name in decisive(task.criteria)]
    columns = pa.schema([("route", pa.string()), ("criterion", pa.string())])
    with duckdb.connect() as connection:
        connection.register("scores", scores)
        connection.register("decisive", pa.Table.from_pylist(names, schema=columns))
        rows = connection.execute(_BY_EXAMPLE).fetchall()
    return {(route, model): _Found(passed or (), *numbers) for route, model, passed, *numbers in rows}

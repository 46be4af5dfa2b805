"""The leaderboard of a run: for each model variant and route, how often an answer passes all decisive criteria.

Decisive are the route's critical criteria, or all of its criteria if none is critical. An answer fails if it fails one
of them. It is unscored if it fails none and is unscored by one.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from flows.evaluate.criteria import Criterion
from flows.evaluate.setup import EvalTask
from flows.lake import Lake, from_rows
from flows.llm import ends_on
from flows.stats.proportions import pass_rate

_COLUMNS = ("model", "route", "criterion", "example_id", "repeat", "passed")
_BY_EXAMPLE = """
with answers as (
    select
        route,
        model,
        example_id,
        case when bool_or(not passed) then false when bool_or(passed is null) then null else true end as passed
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
        count(*) filter (passed is null) as n_unscored
    from answers
    group by route, model, example_id
)

select route, model, list(passed order by example_id) filter (passed is not null), sum(n_unscored)::bigint
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


def _rows(run_id: str, tasks: Sequence[EvalTask], scores: pa.Table) -> Iterator[dict[str, Any]]:
    found = _passed(tasks, scores)
    for task in tasks:
        for variant in task.variants:
            passed, unscored = found.get((task.name, variant.model.name), ([], 0))
            rate = pass_rate(passed)
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
                "n_unscored": unscored,
                "pass_rate": rate.rate,
                "ci_low": rate.low,
                "ci_high": rate.high,
            }


def _passed(tasks: Sequence[EvalTask], scores: pa.Table) -> dict[tuple[str, str], tuple[list[list[float]], int]]:
    """By route and model: the passes of each example's answers, and the number of unscored answers."""
    names = [{"route": task.name, "criterion": name} for task in tasks for name in decisive(task.criteria)]
    columns = pa.schema([("route", pa.string()), ("criterion", pa.string())])
    with duckdb.connect() as connection:
        connection.register("scores", scores)
        connection.register("decisive", pa.Table.from_pylist(names, schema=columns))
        rows = connection.execute(_BY_EXAMPLE).fetchall()
    return {(route, model): (passed or [], unscored) for route, model, passed, unscored in rows}

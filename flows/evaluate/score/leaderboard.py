"""How each entrant of a run stands on a route: how often an answer passes all that is decisive there.

Decisive are the route's critical criteria; where it has none, all of its criteria. An answer that fails one of them
has failed; one that fails none and is unscored by one is unscored.
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


def land_leaderboard(lake: Lake, day: date, run_id: str, papers: Iterable[EvalTask]) -> None:
    """Land the table `model_variants` of a run whose scores have landed."""
    papers = list(papers)
    scores = lake.read("scores", day, run_id, columns=_COLUMNS)
    lake.write("model_variants", day, from_rows(_rows(run_id, papers, scores), "model_variants"), run_id)


def decisive(criteria: Sequence[Criterion]) -> list[str]:
    """The names of the criteria by which an entrant stands or falls."""
    critical = [one.name for one in criteria if one.definition.severity == "critical"]
    return critical or [one.name for one in criteria]


def _rows(run_id: str, papers: Sequence[EvalTask], scores: pa.Table) -> Iterator[dict[str, Any]]:
    found = _passed(papers, scores)
    for paper in papers:
        for place, arm in enumerate(paper.arms):
            passed, unscored = found.get((paper.name, arm.model.name), ([], 0))
            rate = pass_rate(passed)
            yield {
                "run_id": run_id,
                "route": paper.name,
                "model": arm.model.name,
                "arm": "candidate" if place else "pinned",
                "base": arm.model.base,
                "prompt_version": arm.model.prompt_version,
                "shots": arm.model.shots,
                "ends_on": ends_on(arm.model.model),
                "n_examples": rate.n_examples,
                "n_repeats": paper.route.repeats,
                "n_unscored": unscored,
                "pass_rate": rate.rate,
                "ci_low": rate.low,
                "ci_high": rate.high,
            }


def _passed(papers: Sequence[EvalTask], scores: pa.Table) -> dict[tuple[str, str], tuple[list[list[float]], int]]:
    """By route and model: the answers' passes by example, and how many answers are unscored."""
    names = [{"route": paper.name, "criterion": name} for paper in papers for name in decisive(paper.criteria)]
    columns = pa.schema([("route", pa.string()), ("criterion", pa.string())])
    with duckdb.connect() as connection:
        connection.register("scores", scores)
        connection.register("decisive", pa.Table.from_pylist(names, schema=columns))
        rows = connection.execute(_BY_EXAMPLE).fetchall()
    return {(route, model): (passed or [], unscored) for route, model, passed, unscored in rows}

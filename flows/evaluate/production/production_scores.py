"""Score the production answers of a day by the same criteria as the holdout.

Code criteria apply to every answer, judge criteria to a sample with a known inclusion probability. Criteria that need
`expected`, or another model's answer, do not apply and are left out.
"""

import logging
from collections.abc import Collection
from dataclasses import astuple, dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from flows.cluster import Tasks
from flows.evaluate.generate import RunBudget, production_run_id
from flows.evaluate.production import judge_sample
from flows.evaluate.production.day_checks import checked_batches, day_checks
from flows.evaluate.setup import EvalSetup, note_versions
from flows.lake import SCHEMAS, each_day
from flows.llm import ClientFactory
from flows.progress import track

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProductionResult:
    """The number of scores of production answers, and how many of them failed or are unscored."""

    scores: int = 0
    failed: int = 0
    unscored: int = 0

    def summary(self) -> str:
        """One line for people."""
        return f"{self.scores:,} scores of production answers: {self.failed:,} fail, {self.unscored:,} unscored"


def score_days(
    setup: EvalSetup, first: date, last: date, clients: ClientFactory | None = None, *, ask: bool = False
) -> ProductionResult:
    """Score every day from `first` to `last`, both included, and add up what was found. As `score_production`.

    `last` is the night that does so: one budget is that of all the days. Versions of criteria that are new are noted.
    """
    note_versions(setup, last)
    days = track(each_day(first, last), "days", (last - first).days + 1)
    with setup.config.engine.open_tasks() as cluster:
        found = [score_production(setup, day, clients, ask=ask, night=last, cluster=cluster) for day in days]
    return ProductionResult(*(sum(counts) for counts in zip(*map(astuple, found), strict=True)))


def score_production(
    setup: EvalSetup,
    day: date,
    clients: ClientFactory | None = None,
    *,
    ask: bool = False,
    night: date | None = None,
    cluster: Tasks | None = None,
) -> ProductionResult:
    """Score the answers of `day` on every route that has criteria or an `output_schema`.

    They land in `scores` as the file `production-<day>`, a row for each criterion and interaction that succeeded and
    is no shadow. An answer without text (not logged) is unscored. The judge is asked only where `ask` says so; else
    such verdicts count as are stored; it is paid for by `night`, by default that of the day.
    """
    rows = scored_rows(setup, day, night or day, clients, ask=ask, cluster=cluster)
    lake, file = setup.config.open_lake(), production_run_id(day)
    if rows is None:
        lake.remove("scores", day, file)
        return ProductionResult()
    lake.write("scores", day, rows, file)
    checked = ProductionResult(len(rows), pc.sum(pc.invert(rows["passed"])).as_py() or 0, rows["passed"].null_count)
    log.info("%s: %s", day, checked.summary())
    return checked


def scored_rows(
    setup: EvalSetup,
    day: date,
    night: date,
    clients: ClientFactory | None = None,
    *,
    ask: bool = False,
    budget: RunBudget | None = None,
    only: Collection[tuple[str, str]] | None = None,
    cluster: Tasks | None = None,
) -> pa.Table | None:
    """The rows of `scores` as `score_production` writes them; None where nothing applies to production.

    `budget` is what the judge may be paid from, by default that of `night`. `only` are the routes and criteria to
    score; None means all. Code criteria are applied by the workers of the `cluster`, where there is one.
    """
    config = setup.config
    judge_samples = judge_sample.samples(setup, only)
    given = day_checks(setup, only, {route: sample.size for route, sample in judge_samples.items()})
    if not (given.by_route or judge_samples):
        return None
    parts = [SCHEMAS["scores"].empty_table()]
    for checked in checked_batches(cluster, config, day, given):
        parts += [checked.rows[pair] for pair in given.pairs]
        for route, drawn in checked.drawn.items():
            judge_samples[route].take(drawn)
    of_judge = judge_samples.values()
    parts += judge_sample.score_samples(config, day, night, of_judge, clients=clients, ask=ask, budget=budget)
    return pa.concat_tables(parts).combine_chunks()

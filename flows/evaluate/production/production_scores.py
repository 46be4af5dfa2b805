"""Score the production answers of a day by the same criteria as the holdout.

Code criteria apply to every answer, judge criteria to a sample with a known inclusion probability. Criteria that need
`expected`, or another model's answer, do not apply and are left out.
"""

import logging
from collections.abc import Collection, Iterable
from dataclasses import astuple, dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from flows.evaluate.generate import RunBudget, production_run_id
from flows.evaluate.production import judge_sample
from flows.evaluate.production.judge_sample import Sample
from flows.evaluate.production.production_criteria import INPUTS, Check, checks
from flows.evaluate.setup import EvalSetup, note_versions
from flows.lake import SCHEMAS, each_day
from flows.llm import ClientFactory
from flows.progress import track

log = logging.getLogger(__name__)

_COLUMNS = ("call_id", "route", "model_served", "output_text", "latency_ms", "cost_usd", "status", "is_shadow")


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
    found = [score_production(setup, day, clients, ask=ask, night=last) for day in days]
    return ProductionResult(*(sum(counts) for counts in zip(*map(astuple, found), strict=True)))


def score_production(
    setup: EvalSetup,
    day: date,
    clients: ClientFactory | None = None,
    *,
    ask: bool = False,
    night: date | None = None,
) -> ProductionResult:
    """Score the answers of `day` on every route that has criteria or an `output_schema`.

    They land in `scores` as the file `production-<day>`, a row for each criterion and interaction that succeeded and
    is no shadow. An answer without text (not logged) is unscored. The judge is asked only where `ask` says so; else
    such verdicts count as are stored; it is paid for by `night`, by default that of the day.
    """
    rows = scored_rows(setup, day, night or day, clients, ask=ask)
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
) -> pa.Table | None:
    """The rows of `scores` as `score_production` writes them; None where nothing applies to production.

    `budget` is what the judge may be paid from, by default that of `night`. `only` are the routes and criteria to
    score; None means all.
    """
    config = setup.config
    code_checks = {}
    for name in config.routes:
        if found := [one for one in checks(setup, name) if only is None or (name, one.criterion) in only]:
            code_checks[name] = found
    judge_samples = judge_sample.samples(setup, only)
    if not (code_checks or judge_samples):
        return None
    parts = [SCHEMAS["scores"].empty_table()]
    for batch in config.open_lake().batches("interactions", day, _columns(code_checks.values())):
        answers = _answers(batch)
        for name in config.routes:
            of_route = answers.filter(pc.equal(answers["route"], name))
            parts += [check.rows(of_route, name) for check in code_checks.get(name, ())]
            _offer(judge_samples.get(name), of_route)
    drawn = judge_samples.values()
    parts += judge_sample.score_samples(config, day, night, drawn, clients=clients, ask=ask, budget=budget)
    return pa.concat_tables(parts).combine_chunks()


def _columns(found: Iterable[Iterable[Check]]) -> tuple[str, ...]:
    """The columns to read. Inputs are long, and only python criteria need them."""
    needed = {name for route_checks in found for check in route_checks for name in check.columns}
    return _COLUMNS + (INPUTS if needed.issuperset(INPUTS) else ())


def _answers(batch: pa.Table) -> pa.Table:
    """Answers of successful calls that are not shadows. A missing route becomes `default`, as in dbt."""
    is_shadow = pc.fill_null(batch["is_shadow"], False)
    answers = batch.filter(pc.and_(pc.equal(batch["status"], "success"), pc.invert(is_shadow)))
    place = answers.column_names.index("route")
    return answers.set_column(place, "route", pc.fill_null(answers["route"], "default"))


def _offer(sample: Sample | None, answers: pa.Table) -> None:
    """Offer the answers that have a text to the sample."""
    if sample is not None:
        sample.offer(answers.filter(pc.is_valid(answers["output_text"]))["call_id"].to_pylist())

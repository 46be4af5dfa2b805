"""The code criteria on a day's answers, batch by batch: in this process, or as tasks on a cluster.

On a cluster, functions of the workspace run where genchi runs all the same: they may rest on files beside them, or ask
a server. A task is some thousands of calls; a worker reads them in the lake and returns rows of `scores`. It also ranks
the calls for the judge's sample; the judge itself is asked from where genchi runs.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import repeat
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.cluster import Tasks
from flows.config import Config
from flows.evaluate.criteria import Criterion, Schema
from flows.evaluate.production.judge_sample import Drawn, drawn_of
from flows.evaluate.production.production_criteria import INPUTS, Check, checks
from flows.evaluate.setup import EvalSetup
from flows.lake import FilePiece, Lake, pieces_of, rows_of_piece

Pair = tuple[str, str]
"""A route and a criterion."""
_COLUMNS = ("call_id", "route", "model_served", "output_text", "latency_ms", "cost_usd", "status", "is_shadow")


@dataclass(frozen=True)
class Checked:
    """Of one batch the rows of `scores` by route and criterion, and by route the calls for the judge's sample."""

    rows: Mapping[Pair, pa.Table]
    drawn: Mapping[str, Drawn]


class DayChecks:
    """The checks of some routes, by route; `sizes` are those of the judge's samples. Other processes get a copy."""

    def __init__(
        self,
        criteria: Mapping[str, Sequence[Criterion]],
        schemas: Mapping[str, Schema],
        only: Collection[Pair] | None,
        sizes: Mapping[str, int],
    ) -> None:
        self._criteria, self._schemas, self._only, self._sizes = criteria, schemas, only, sizes

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "by_route"}

    @cached_property
    def by_route(self) -> dict[str, list[Check]]:
        """The checks, for each route that has some."""
        found = {}
        for route, criteria in self._criteria.items():
            all_ = checks(criteria, self._schemas.get(route), route)
            if mine := [one for one in all_ if self._only is None or (route, one.criterion) in self._only]:
                found[route] = mine
        return found

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to read. Inputs are long, and only functions of the workspace need them."""
        needed = {name for of_route in self.by_route.values() for check in of_route for name in check.columns}
        return _COLUMNS + (INPUTS if needed.issuperset(INPUTS) else ())

    @property
    def pairs(self) -> list[Pair]:
        """Routes and criteria, in the order of their rows."""
        return [(route, check.criterion) for route, of_route in self.by_route.items() for check in of_route]

    def part(self, *, is_self_contained: bool) -> "DayChecks":
        """Those for other processes, with the samples; or the rest, without."""
        criteria = {
            route: [one for one in mine if not one.judge and one.is_self_contained == is_self_contained]
            for route, mine in self._criteria.items()
        }
        if is_self_contained:
            return DayChecks(criteria, self._schemas, self._only, self._sizes)
        return DayChecks(criteria, {}, self._only, {})

    def check(self, batch: pa.Table) -> Checked:
        """Check a batch of `interactions` with the columns above."""
        answers = _answers(batch)
        of_route = {
            route: answers.filter(pc.equal(answers["route"], route)) for route in {*self.by_route, *self._sizes}
        }
        rows = {
            (route, check.criterion): check.rows(of_route[route], route)
            for route, found in self.by_route.items()
            for check in found
        }
        return Checked(rows, {route: _drawn(of_route[route], size) for route, size in self._sizes.items()})


@dataclass(frozen=True, repr=False)
class ChecksJob:
    """What all tasks share. Nothing of it is shown: the lake's storage has secrets."""

    lake: Lake
    checks: DayChecks


def day_checks(setup: EvalSetup, only: Collection[Pair] | None, sizes: Mapping[str, int]) -> DayChecks:
    """The checks of all configured routes; `only` are the routes and criteria to score, None means all."""
    return DayChecks(setup.criteria, setup.output_schemas, only, sizes)


def checked_batches(cluster: Tasks | None, config: Config, day: date, given: DayChecks) -> Iterator[Checked]:
    """What each batch of a day comes to, in the order of `Lake.batches`. Raises RunError as `Tasks.map`."""
    lake = config.open_lake()
    if cluster is None:
        yield from map(given.check, lake.batches("interactions", day, given.columns))
        return
    there, here = given.part(is_self_contained=True), given.part(is_self_contained=False)
    results = cluster.map(check_piece, pieces_of(lake, "interactions", day), ChecksJob(replace(lake), there))
    own = lake.batches("interactions", day, here.columns) if here.by_route else repeat(None)
    for found, batch in zip((one for piece in results for one in piece), own, strict=False):
        yield found if batch is None else Checked({**found.rows, **here.check(batch).rows}, found.drawn)


def check_piece(piece: FilePiece, job: ChecksJob) -> list[Checked]:
    """One task: what the batches of a piece of `interactions` come to."""
    return [job.checks.check(batch) for batch in rows_of_piece(job.lake, piece, job.checks.columns)]


def _answers(batch: pa.Table) -> pa.Table:
    """Answers of successful calls that are not shadows. A missing route becomes `default`, as in dbt."""
    is_shadow = pc.fill_null(batch["is_shadow"], False)
    answers = batch.filter(pc.and_(pc.equal(batch["status"], "success"), pc.invert(is_shadow)))
    place = answers.column_names.index("route")
    return answers.set_column(place, "route", pc.fill_null(answers["route"], "default"))


def _drawn(answers: pa.Table, size: int) -> Drawn:
    """The sample among the answers that have a text."""
    return drawn_of(answers.filter(pc.is_valid(answers["output_text"]))["call_id"].to_pylist(), size)

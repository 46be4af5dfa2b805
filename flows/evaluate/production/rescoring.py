"""A changed criterion scores the trailing window again, so that the days of its series can be compared.

Code criteria cost nothing. A judge gets its sample of each day, the newest day first, from a share of what is left of
the night's budget; a day with fewer verdicts than it has from the older version keeps that one, and the next night goes
on. Days of different versions are never compared (dbt's `int_series_tests`).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from flows.cluster import Tasks
from flows.evaluate.generate import RunBudget, budget_of, production_run_id
from flows.evaluate.production.judge_sample import size_of
from flows.evaluate.production.production_scores import ProductionResult, scored_rows
from flows.evaluate.setup import EvalSetup, Version, current_versions, read_versions
from flows.lake import Lake, each_day
from flows.llm import ClientFactory
from flows.words import counted

log = logging.getLogger(__name__)

SHARE_OF_BUDGET = 0.25
"""The share of what is left of a night's budget that judges may spend on earlier days."""
_ENOUGH = 0.9
_NAMES = ["route", "criterion", "criterion_version"]
_Pair = tuple[str, str]


@dataclass(frozen=True)
class Rescored:
    """The days that were scored again, oldest first, and the criteria that had changed, as `route/criterion`."""

    days: tuple[date, ...] = ()
    criteria: tuple[str, ...] = ()

    def first(self, otherwise: date) -> date:
        """The first day whose marts must be built again: the first that was scored again, or `otherwise`."""
        return min([otherwise, *self.days])

    def summary(self) -> str:
        """One line for people."""
        if not self.days:
            return "no criterion has changed"
        return f"{counted(len(self.days), 'earlier day')} scored again, because of {', '.join(self.criteria)}"


@dataclass(frozen=True)
class NightScores:
    """What a night scored of production. The marts of the days from `first` on must be built again."""

    scored: ProductionResult
    again: Rescored
    first: date

    def summary(self) -> str:
        """One line for people."""
        scored = self.scored.summary()
        return f"{scored}; {self.again.summary()}" if self.again.days else scored


def rescore_window(
    setup: EvalSetup, first: date, night: date, clients: ClientFactory | None = None, *, ask: bool = False
) -> Rescored:
    """Score again the days of the window before `first` that have scores of other versions of today's criteria.

    `night` is the night that does so, after it has scored `first` to `night`. The judge is asked only with `ask`.
    """
    config, lake = setup.config, setup.config.open_lake()
    current = {(one.route, one.criterion): one.criterion_version for one in current_versions(setup, night)}
    begin = night - timedelta(days=config.window_days)
    earlier = [day for day in each_day(begin, first - timedelta(days=1)) if lake.exists(*_place(day))]
    if not earlier or not (_changed_lately(lake, current, begin) or _older(lake, earlier[-1], current)):
        return Rescored()
    of_night = budget_of(config, night, production_run_id(night))
    limit = None if config.budget.usd is None else of_night.spent + SHARE_OF_BUDGET * of_night.left
    budget, days, names = RunBudget(limit, of_night.spent), [], set[_Pair]()
    with config.engine.open_tasks() as cluster:
        for day in reversed(earlier):
            older = _older(lake, day, current)
            if older and (
                changed := _rescore(setup, day, night, older, clients, cluster=cluster, ask=ask, budget=budget)
            ):
                days.append(day)
                names |= changed
    done = Rescored(tuple(reversed(days)), tuple(sorted(map("/".join, names))))
    log.info("%s", done.summary())
    return done


def _place(day: date) -> tuple[str, date, str]:
    return "scores", day, production_run_id(day)


def _changed_lately(lake: Lake, current: Mapping[_Pair, str], begin: date) -> bool:
    """Whether a criterion in use has several versions, of which one was first used on `begin` or later."""
    versions: dict[_Pair, list[Version]] = {}
    for one in read_versions(lake):
        versions.setdefault((one.route, one.criterion), []).append(one)
    return any(
        len(found) > 1 and max(one.since for one in found).date() >= begin
        for pair, found in versions.items()
        if pair in current
    )


def _older(lake: Lake, day: date, current: Mapping[_Pair, str]) -> set[_Pair]:
    """The criteria in use of which a day has scores of another version."""
    found = set[_Pair]()
    for batch in lake.batches("scores", day, _NAMES, production_run_id(day)):
        for row in batch.group_by(_NAMES).aggregate([]).to_pylist():
            pair = row["route"], row["criterion"]
            if current.get(pair, row["criterion_version"]) != row["criterion_version"]:
                found.add(pair)
    return found


def _rescore(
    setup: EvalSetup,
    day: date,
    night: date,
    older: set[_Pair],
    clients: ClientFactory | None,
    *,
    cluster: Tasks | None,
    ask: bool,
    budget: RunBudget,
) -> set[_Pair]:
    """Score a day again; returns the criteria of `older` whose scores are now of the version in use."""
    lake, judged = setup.config.open_lake(), _sizes(setup)
    may_ask = ask and not older.isdisjoint(judged) and not budget.is_exhausted
    if not may_ask and older <= judged.keys():
        return set()
    rows = scored_rows(setup, day, night, clients, ask=may_ask, budget=budget, only=older, cluster=cluster)
    if rows is None:
        return set()
    before, scored = lake.read(*_place(day)), _pairs(rows)
    # What has not changed, and what is no criterion any more, keeps its scores.
    kept = {pair for pair in _pairs(before) if pair not in scored or _is_short(rows, before, pair, judged.get(pair))}
    if older <= kept:
        return set()
    parts = [_of(rows, pair) for pair in sorted(scored - kept)] + [_of(before, pair) for pair in sorted(kept)]
    lake.write("scores", day, pa.concat_tables(parts).combine_chunks(), production_run_id(day))
    return older - kept


def _sizes(setup: EvalSetup) -> dict[_Pair, int]:
    """How many answers a day each judge's criterion gets."""
    return {(route, one.name): size_of(one) for route, all_ in setup.criteria.items() for one in all_ if one.judge}


def _is_short(rows: pa.Table, before: pa.Table, pair: _Pair, size: int | None) -> bool:
    """Whether a judge has given clearly fewer verdicts than the day had; a few replies never are a verdict."""
    return size is not None and _verdicts(rows, pair) < _ENOUGH * min(size, _verdicts(before, pair))


def _pairs(rows: pa.Table) -> set[_Pair]:
    return {(row["route"], row["criterion"]) for row in rows.group_by(_NAMES[:2]).aggregate([]).to_pylist()}


def _of(rows: pa.Table, pair: _Pair) -> pa.Table:
    return rows.filter(pc.and_(pc.equal(rows["route"], pair[0]), pc.equal(rows["criterion"], pair[1])))


def _verdicts(rows: pa.Table, pair: _Pair) -> int:
    of_pair = _of(rows, pair)
    return len(of_pair) - int(of_pair["passed"].null_count)

"""`genchi backfill`: ingest logs, rebuild the marts and write the pages for a range of days, without checks and alerts.

It says first what it has to do and how long that takes. A day that is done and unchanged is passed over
(`flows/backfill_days.py`), so that one that was killed goes on where it was. All days are in the index over nights; the
last ones get a page of their own (`PAGES`): one costs about a second.
Models are called only with `only="evaluate"`, which reuses every stored answer to the same request.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from flows import backfill_estimate, progress
from flows.backfill_days import Ledger, Plan, Stage
from flows.backfill_estimate import Rates, Took, Work
from flows.config import load_config
from flows.errors import ConfigError, RunError
from flows.evaluate import EvalSetup, forecast_day, load_setup
from flows.evaluate.flow import check_production
from flows.export.flow import export
from flows.extensions import check_extensions
from flows.ingest import current_examples
from flows.ingest.flow import freeze, land_days
from flows.lake import each_day
from flows.llm import register_local_providers
from flows.marts import open_marts
from flows.nightly import evaluated
from flows.prefect_run import described, ended, flow, stage
from flows.report.flow import report_days
from flows.retention import first_to_rebuild, require_rebuildable
from flows.semantics.flow import semantics
from flows.transform import has_package, parsing_ahead
from flows.transform.flow import transform, workspace_models
from flows.words import counted

PAGES = 31  # days at the end of the range that get a page, if no other number is asked for
_READ_TOGETHER = 14  # days whose logs are noted as read together; a kill loses no more

_INCIDENTS = """
    select day, severity, title, state
    from marts.fct_incidents
    where day between ? and ? and state in ('open', 'ongoing') and severity <> 'info'
    order by day, array_position(['critical', 'warning'], severity), n_breaches desc, incident_id
"""


@dataclass(frozen=True)
class Began:
    """An incident on the day on which it began."""

    day: date
    severity: str
    title: str

    def __str__(self) -> str:
        return f"{self.day}: {self.severity}: {self.title}"


@dataclass(frozen=True)
class Backfilled:
    """The result of a backfill. `began` are the incidents above information that began on its days, in their order;
    `critical` how many critical incidents its days have, those that went on included. `index` is the index of pages."""

    first: date
    last: date
    began: tuple[Began, ...] = ()
    critical: int = 0
    index: Path | None = None

    def summary(self) -> str:
        """How many incidents began, and the first of them, in one line."""
        days = f"{self.first} to {self.last}: "
        if not self.began:
            return f"{days}no incident began"
        which = "the first" if self.began[1:] else "it"
        return f"{days}{counted(len(self.began), 'incident')} began; {which}: {self.began[0]}"


@dataclass(frozen=True)
class Request:
    """What is asked for: the days from `start` to `end`, both included; see `backfill`."""

    start: date
    end: date
    only: Stage | None = None
    force: bool = False
    pages: int = PAGES

    def check(self) -> None:
        """Raise ConfigError for a range or a number that cannot be."""
        if self.end < self.start:
            raise ConfigError(f"--end {self.end} is before --start {self.start}")
        if self.pages < 0:
            raise ConfigError(f"--pages {self.pages}: must be a whole number, or `all`")

    def days_with_page(self, plan: Plan, reports: Path) -> list[date]:
        """Of the last days, as many as get a page, those that are built, and those that have none."""
        last = plan.days[max(0, len(plan.days) - self.pages) :]
        built = plan.due[0] if plan.due else date.max
        return [day for day in last if day >= built or not (reports / str(day) / "index.html").exists()]


@flow(name="backfill")
def backfill(
    start: date,
    end: date,
    config_path: str = "genchi.yaml",
    *,
    only: Stage | None = None,
    force: bool = False,
    dry_run: bool = False,
    pages: int = PAGES,
) -> Backfilled:
    """Ingest and transform every day from `start` to `end`, both included; or run only the stage `only`.

    Raises ConfigError for a wrong configuration or range of days, and RunError if a stage fails.

    Args:
        start: The first day.
        end: The last day.
        config_path: The absolute path of the workspace's genchi.yaml, where the worker runs.
        only: One stage alone: ingest, transform or evaluate. evaluate asks live models, which may cost money. Without
            one, everything but evaluate runs.
        force: Do all days again, also those that are done and have not changed since.
        dry_run: Say in the log what there is to do and how long it takes, and write nothing.
        pages: How many of the last days get a page of their own. One takes about a second.
    """
    request, setup = Request(start, end, only, force, pages), load_setup(load_config(config_path))
    if dry_run:
        for line in estimated(setup, request):
            progress.tell(line)
        return Backfilled(start, end)
    return _backfill(setup, request)


@flow(name="backfill")
def run_backfill(
    setup: EvalSetup, start: date, end: date, *, only: Stage | None = None, force: bool = False, pages: int = PAGES
) -> Backfilled:
    """As `backfill`, with a configuration that is already loaded."""
    return _backfill(setup, Request(start, end, only, force, pages))


def estimated(setup: EvalSetup, request: Request) -> Iterator[str]:
    """What a backfill has to do and how long it takes, in a few lines. Writes nothing, and asks no model."""
    request.check()
    require_rebuildable(setup.config, request.start, request.end)
    plan = Ledger(setup).plan(request.start, request.end, request.only, is_forced=request.force)
    yield from _estimate(setup, request, plan)


def _estimate(setup: EvalSetup, request: Request, plan: Plan) -> Iterator[str]:
    asking = None
    if request.only == "evaluate" and plan.due:
        setup.require_evaluation()
        register_local_providers(model.model for model in setup.config.all_models())
        asking = forecast_day(setup, plan.due[0], current_examples(setup.config))
    pages = len(request.days_with_page(plan, setup.config.reports))
    return backfill_estimate.lines(setup.config, plan, pages, request.only, asking)


def _backfill(setup: EvalSetup, request: Request) -> Backfilled:
    request.check()
    config = setup.config
    check_extensions(config)
    name = f"backfill {request.start} to {request.end}"
    with described(name, config.app), config.open_lake().run("backfill"):
        require_rebuildable(config, request.start, request.end)  # before logs are read, or models asked
        ledger = Ledger(setup)
        plan = ledger.plan(request.start, request.end, request.only, is_forced=request.force)
        for line in _estimate(setup, request, plan):
            progress.tell(line)
        index = _Run(setup, request, ledger, plan).run()
    try:
        found = open_marts(config).query(_INCIDENTS, [request.start, request.end])
    except RunError:
        if plan.due:
            raise
        found = []  # nothing was to be done, and there is no warehouse
    began = tuple(Began(row["day"], row["severity"], row["title"]) for row in found if row["state"] == "open")
    critical = sum(row["severity"] == "critical" for row in found)
    done = Backfilled(request.start, request.end, began, critical, index)
    return ended(done, done.summary(), is_critical=bool(critical))


@dataclass
class _Run:
    """The stages of one backfill, and how long each took."""

    setup: EvalSetup
    request: Request
    ledger: Ledger
    plan: Plan
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self) -> Path | None:
        """Returns the index of pages; None where nothing was to be done."""
        work = self._work() if self.plan.due else Work(0, 0, 0)
        pages = self.request.days_with_page(self.plan, self.setup.config.reports)
        if not (self.plan.due or pages):
            return None
        with self._timed("report") as current:
            index = report_days(self.setup.config, pages)
            current.outcome = str(index)
        if self.plan.due:
            whose = f"the backfill of {self.plan.due[0]} to {self.request.end}"
            done = replace(work, pages=len(pages))
            took = {name: Took(seconds, done) for name, seconds in self.seconds.items()}
            backfill_estimate.note_rates(self.setup.config, Rates(whose, took))
        return index

    def _work(self) -> Work:
        """All stages but the report. Returns how much there was to do, without the pages."""
        config, first, last = self.setup.config, self.plan.due[0], self.request.end
        if self.request.only in (None, "ingest"):
            config.require_for_ingest()
            config.require_for_semantics()
            with parsing_ahead(config):
                first = self._read(first)
                self.ledger.begin(first, last)
                with self._timed("semantics") as current:
                    current.outcome = semantics(config, first, last).summary()
                with self._timed("production") as current:
                    current.outcome = check_production(self.setup, first, last).summary()
        if self.request.only == "evaluate":
            self._evaluate()
        with self._timed("transform") as current:
            current.outcome = transform(config, first, last).summary()
        if has_package(config):
            with self._timed("workspace") as current:
                current.outcome = workspace_models(config, first, last).summary()
        with self._timed("export") as current:
            current.outcome = export(config, first, last)
        built = list(each_day(first, last))
        self.ledger.note("transform", built)
        self.ledger.end()
        return Work(self.plan.bytes, len(built), 0)

    def _read(self, first: date) -> date:
        """Read the logs of the days that need it; returns the first day to rebuild."""
        config, touched = self.setup.config, set[date]()
        with self._timed("ingest") as current, progress.counting("days", len(self.plan.to_read)) as advance:
            outcome = None
            for days in _together(self.plan.to_read):
                started = time.monotonic()
                landed = land_days(config, days[0], days[-1])
                self.ledger.note("ingest", days)
                if landed.days:
                    self.ledger.forget("transform", min(landed.days))
                touched |= set(landed.days)
                outcome = landed if outcome is None else outcome + landed
                for _ in days:
                    advance()
                if len(days) == 1 < len(self.plan.to_read) and not backfill_estimate.known_rates(config):
                    rest = backfill_estimate.rest_of_reading(self.plan, days[0], time.monotonic() - started)
                    progress.tell(rest) if rest else None
            current.outcome = outcome.summary() if outcome else "all logs are read and unchanged"
        return first_to_rebuild(config, tuple(sorted(touched)), first, self.request.end)

    def _evaluate(self) -> None:
        self.setup.require_evaluation()
        started = time.monotonic()
        for day in self.plan.due:
            with stage(f"evaluate {day}") as current:
                freeze(self.setup.config, day)
                current.outcome = evaluated(self.setup, day, other_nights=True)
            self.ledger.note("evaluate", [day])
        self.seconds["evaluate"] = time.monotonic() - started

    @contextmanager
    def _timed(self, name: str) -> Iterator[progress.Step]:
        started = time.monotonic()
        with stage(name) as current:
            yield current
        self.seconds[name] = time.monotonic() - started


def _together(days: Sequence[date]) -> Iterator[list[date]]:
    """The first day alone, whose time says how long the others take, then days that follow one another."""
    group: list[date] = []
    for place, day in enumerate(days):
        is_next = bool(group) and (day - group[-1]).days == 1
        if group and (place == 1 or not is_next or len(group) == _READ_TOGETHER):
            yield group
            group = []
        group.append(day)
    if group:
        yield group

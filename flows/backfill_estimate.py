"""What a backfill will take: files, calls, minutes, and USD where models are asked.

Minutes are those of the last backfill of this lake, stage by stage, or else those of its newest night, in proportion
to bytes, days or pages. Where neither is, they are rough: what a first backfill has taken on a machine with two cores.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date

import pyarrow.compute as pc

from flows.backfill_days import Plan, Stage
from flows.config import Config
from flows.evaluate import Forecast
from flows.lake import Lake, Note, nightly_run_id
from flows.night_runs import TABLE
from flows.outgoing import plain
from flows.words import counted, duration, shown_days

# One build of the marts takes as long as this many days more. Measured: 10.0 s of CPU for one day of 400 calls, 11.8 s
# for eight days, 16.4 s for 29.
BUILD_AS_DAYS = 43
_NIGHTS = 14  # of which the calls in a byte of logs are looked up
_STAGES: dict[Stage | None, tuple[str, ...]] = {
    None: ("ingest", "semantics", "production", "transform", "report"),
    "ingest": ("ingest", "semantics", "production", "transform", "report"),
    "transform": ("transform", "report"),
    "evaluate": ("evaluate", "transform", "report"),
}


@dataclass(frozen=True)
class Work:
    """How much a stage had to do: bytes of logs to read, days to build, pages to write."""

    bytes: int
    days: int
    pages: int


@dataclass(frozen=True)
class Took:
    """The seconds that a stage took, and for how much work."""

    seconds: float
    work: Work


@dataclass(frozen=True)
class Rates:
    """What each stage took when it last ran; `whose` run the newest of them was, in words."""

    whose: str
    stages: Mapping[str, Took]

    def of(self, stage: str, work: Work) -> float | None:
        """The seconds of a stage for other work; None where it is not known."""
        took = self.stages.get(stage)
        if took is None:
            return None
        if stage == "transform":
            return took.seconds * (BUILD_AS_DAYS + work.days) / (BUILD_AS_DAYS + took.work.days)
        measure = {"ingest": "bytes", "report": "pages"}.get(stage, "days")
        then, now = getattr(took.work, measure), getattr(work, measure)
        return took.seconds * now / then if then else None


# Measured: 500,000 calls of 2 KB were read in 8 s; the rest is 29 days of 400 calls, with 7 pages.
_FIRST = Rates(
    "what a first backfill took on two cores",
    {
        "ingest": Took(8.0, Work(1_060_000_000, 1, 0)),
        "semantics": Took(17.7, Work(0, 29, 0)),
        "production": Took(2.1, Work(0, 29, 0)),
        "transform": Took(10.9, Work(0, 29, 0)),
        "report": Took(1.8, Work(0, 0, 7)),
    },
)


def lines(config: Config, plan: Plan, pages: int, only: Stage | None, asking: Forecast | None = None) -> Iterator[str]:
    """The estimate, in a few lines for people."""
    days, done = len(plan.days), len(plan.days) - len(plan.due)
    passed = f", {done:,} of them done and unchanged" if done else ""
    yield f"{shown_days(plan.days)}: {counted(days, 'day')}{passed}"
    if not plan.due:
        if pages:
            yield f"to write: {counted(pages, 'page')}"
        return
    if plan.to_read:
        calls = _calls(config.open_lake(), plan)
        databases = sum(bool(source.dsn) for source in config.sources)
        beside = f", and {counted(databases, 'database')}" if databases else ""
        unknown = "; how many calls is known when the first day is read"
        about = unknown if calls is None else f", about {calls:,} calls"
        yield f"to read: {counted(plan.files, 'file')} of {_size(plan.bytes)}{beside}{about}"
    build = len([day for day in plan.days if day >= plan.due[0]])
    yield f"to build: {counted(build, 'day')} at once, from {plan.due[0]} on, and {counted(pages, 'page')}"
    yield _asking(asking) if asking else "no model is asked"
    yield _time(config, plan, Work(plan.bytes, build, pages), only)


def _asking(asking: Forecast) -> str:
    """Without the judge's requests, which depend on the answers. All days share one answer to the same request."""
    lacking = f", without {', '.join(map(plain, asking.unpriced))}, whose price is unknown" if asking.unpriced else ""
    requests = counted(asking.requests, "request")
    return f"{requests} to the models under test, about {asking.usd:,.2f} USD{lacking}; the judge comes on top"


def _time(config: Config, plan: Plan, work: Work, only: Stage | None) -> str:
    rates = known_rates(config) or _FIRST
    stages = [stage for stage in _STAGES[only] if stage != "ingest" or plan.to_read]
    found = {stage: rates.of(stage, work) for stage in stages}
    known = {stage: seconds for stage, seconds in found.items() if seconds is not None}
    unknown = ", ".join(stage for stage in stages if stage not in known)
    lacking = f"; {unknown}: not known" if unknown else ""
    by_stage = ", ".join(f"{stage} {duration(seconds)}" for stage, seconds in known.items())
    return f"about {duration(sum(known.values()))}, by {rates.whose}: {by_stage}{lacking}"


def known_rates(config: Config) -> Rates | None:
    """What the stages of the last backfills took, else those of the newest night; None where nothing has run."""
    lake = config.open_lake()
    try:
        found = json.loads(_note(lake).read() or "null")
        stages = {stage: Took(one["seconds"], Work(**one["work"])) for stage, one in found["stages"].items()}
        return Rates(found["whose"], stages)
    except (ValueError, TypeError, KeyError, AttributeError):
        return _of_night(lake)


def note_rates(config: Config, rates: Rates) -> None:
    """Keep what the stages of this backfill took, beside what is known of the others. The caller is a run."""
    before = known_rates(config)
    whole = replace(rates, stages={**(before.stages if before else {}), **rates.stages})
    _note(config.open_lake()).write(json.dumps(asdict(whole)))


def _note(lake: Lake) -> Note:
    return Note(lake.backend, "_backfill/rates.json")


def _of_night(lake: Lake) -> Rates | None:
    for day in reversed(lake.days(TABLE)):
        rows = lake.read(TABLE, day, nightly_run_id(day), columns=["stage", "seconds"]).to_pylist()
        if rows:
            read = lake.read("manifest", day, columns=["bytes"])["bytes"]
            work = Work(pc.sum(read).as_py() or 0, 1, 1)
            return Rates(f"the night of {day}", {row["stage"]: Took(row["seconds"], work) for row in rows})
    return None


def _calls(lake: Lake, plan: Plan) -> int | None:
    """About how many calls the logs have, by those that the newest nights have read; None before the first."""
    read = calls = 0
    for day in lake.days("manifest")[-_NIGHTS:]:
        rows = lake.read("manifest", day, columns=["bytes", "interactions", "duplicates"])
        read += pc.sum(rows["bytes"]).as_py() or 0
        calls += (pc.sum(rows["interactions"]).as_py() or 0) + (pc.sum(rows["duplicates"]).as_py() or 0)
    return round(plan.bytes * calls / read) if read else None


def _size(size: int) -> str:
    if size >= 1e9:
        return f"{size / 1e9:,.1f} GB"
    return f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:,.1f} kB"


def rest_of_reading(plan: Plan, first: date, seconds: float) -> str:
    """How long reading takes that is left, at most: by how long the first day took, which starting up made longer."""
    one = plan.logs[first].bytes
    if not one:
        return ""
    left = seconds * (plan.bytes - one) / one
    return f"reading the other {counted(len(plan.to_read) - 1, 'day')} takes at most {duration(left)}, by the first one"

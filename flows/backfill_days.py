"""Which days of a backfill are done and unchanged, and what the others have to read.

A day's logs are done if their files, the configuration and the test sets are as they were when they were read. Its
marts are done if, besides, the calls of its window, the dbt project and the workspace's own models and features are as
they were when they were built, and are still in the warehouse. What was done is noted in the lake as hashes; a database
cannot say whether it has changed, so its days are always read again.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow.compute as pc

from flows.config import Config, unset_variables
from flows.errors import RunError
from flows.evaluate import EvalSetup, current_versions
from flows.lake import Note, each_day, nightly_run_id, search
from flows.marts import built_marts
from flows.project import DBT_PROJECT

Stage = Literal["ingest", "transform", "evaluate"]

# Keys of genchi.yaml that change nothing of what a backfill writes.
_UNRELATED = (
    *("path", "alerts", "ping", "owners", "readers", "reports", "report_url", "retention", "catch_up"),
    *("budget", "review", "shadow"),
)
_INPUTS = ("interactions", "feedback", "annotations")
_TOPICS = ("topics", "topic_catalog", "topic_tests", "topic_pasts")
_BEFORE_WINDOW = 14  # days before the window that the counts of calls are also compared with
_BUILT = "select distinct day from marts.fct_usage_daily where day between ? and ?"
_SUFFIXES = (".sql", ".yml", ".csv", ".py")


@dataclass(frozen=True)
class Logs:
    """The log files of one day as they lie there; `print` is their hash, None where a database cannot be known."""

    files: int
    bytes: int
    print: str | None


@dataclass(frozen=True)
class Plan:
    """What a backfill has to do: the days whose logs are read, and those of which anything is done, oldest first.

    `logs` are those of the days to read.
    """

    days: tuple[date, ...]
    to_read: tuple[date, ...]
    due: tuple[date, ...]
    logs: Mapping[date, Logs]

    @property
    def files(self) -> int:
        """How many log files there are to read."""
        return sum(logs.files for logs in self.logs.values())

    @property
    def bytes(self) -> int:
        """How many bytes they have, as they are stored."""
        return sum(logs.bytes for logs in self.logs.values())


class Ledger:
    """What backfills of this lake have done, by day and stage, as the hash of what they did it from."""

    def __init__(self, setup: EvalSetup) -> None:
        self._setup, self._config = setup, setup.config
        self._lake = setup.config.open_lake()
        self._note = Note(self._lake.backend, "_backfill/done.json")
        self._listings: dict[str, tuple[int, int, str]] = {}

    def plan(self, start: date, end: date, only: Stage | None, *, is_forced: bool) -> Plan:
        """What is left to do from `start` to `end`, both included; with `is_forced`, everything."""
        days = tuple(each_day(start, end))
        if only == "evaluate":
            due = tuple(day for day in days if is_forced or not self._is_evaluated(day))
            return Plan(days, (), due, {})
        to_read = () if only == "transform" else tuple(day for day in days if is_forced or not self._is_read(day))
        unbuilt = days if is_forced else self._unbuilt(days)
        due = tuple(day for day in days if day in {*to_read, *unbuilt})
        return Plan(days, to_read, due, {day: self.logs(day) for day in to_read})

    def note(self, stage: Stage, days: Iterable[date]) -> None:
        """Note that a stage is done for these days, as everything is now. The caller is a run."""
        make = {"ingest": self._print_of_logs, "transform": self._prints_of_marts(), "evaluate": self._print_of_models}
        done = self._done
        for day in days:
            found = make[stage](day)
            done.setdefault(str(day), {}).update({stage: found} if found else {})
        self._write(done)

    def forget(self, stage: Stage, first: date) -> None:
        """Note that a stage is not done for any day from `first` on. The caller is a run."""
        done = self._done
        for day, stages in done.items():
            if day >= str(first):
                stages.pop(stage, None)
        self._write(done)

    def begin(self, first: date, last: date) -> None:
        """Note which days have no topics, before these days get them. The caller is a run.

        What a killed backfill left of them is taken away first: days with too few texts for topics of their own would
        get those of later days, which a run that is left alone does not know yet.
        """
        for day in json.loads(self._begun.read() or "[]"):
            for table in _TOPICS:
                self._lake.remove(table, date.fromisoformat(day))
        known = {day for table in _TOPICS for day in self._lake.days(table)}
        days = each_day(first - timedelta(days=self._config.window_days), last)
        self._begun.write(json.dumps([str(day) for day in days if day not in known]))

    def end(self) -> None:
        """Note that the marts have what was begun. The caller is a run."""
        self._begun.write("[]")

    @property
    def _begun(self) -> Note:
        return Note(self._lake.backend, "_backfill/begun.json")

    def logs(self, day: date) -> Logs:
        """The log files of a day."""
        sources = [source for source in self._config.sources if not unset_variables(source)]
        found = [self._listing(source.path.replace("{day}", str(day))) for source in sources if source.path]
        is_known = all(source.path for source in sources)
        hashed = _hash(self._hash_of_reading, *(one[2] for one in found)) if is_known else None
        return Logs(sum(one[0] for one in found), sum(one[1] for one in found), hashed)

    def _listing(self, pattern: str) -> tuple[int, int, str]:
        """How many files match a pattern, their bytes, and a hash of their names, sizes and times."""
        if pattern not in self._listings:
            files = search(pattern, self._config.storage).files
            hashed = _hash(*(f"{file.name}\0{file.size}\0{file.modified}" for file in files))
            self._listings[pattern] = (len(files), sum(file.size for file in files), hashed)
        return self._listings[pattern]

    @property
    def _done(self) -> dict[str, dict[str, str]]:
        """A note that cannot be read is none: the days are done again."""
        try:
            found = json.loads(self._note.read() or "{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, done: Mapping[str, Mapping[str, str]]) -> None:
        self._note.write(json.dumps(done, indent=0, sort_keys=True))

    def _is_noted(self, stage: Stage, day: date, found: str | None) -> bool:
        return found is not None and self._noted.get(str(day), {}).get(stage) == found

    @cached_property
    def _noted(self) -> dict[str, dict[str, str]]:
        return self._done

    def _is_read(self, day: date) -> bool:
        return self._is_noted("ingest", day, self._print_of_logs(day)) and self._lake.exists("manifest", day)

    def _is_evaluated(self, day: date) -> bool:
        """Whether every request of the day has its answer, to test sets, criteria and models as they are now."""
        if not self._is_noted("evaluate", day, self._print_of_models(day)):
            return False
        states = self._lake.read("completions", day, nightly_run_id(day), columns=["status"])["status"]
        return len(states) > 0 and bool(pc.all(pc.equal(states, "ok")).as_py())

    def _unbuilt(self, days: Sequence[date]) -> Collection[date]:
        found, landed = self._prints_of_marts(), set(self._lake.days("interactions"))
        try:
            built = {row["day"] for row in built_marts(self._config).query(_BUILT, [days[0], days[-1]])}
        except (RunError, duckdb.Error):
            built = set()
        return {
            day for day in days
            if not self._is_noted("transform", day, found(day)) or (day in landed and day not in built)
        }  # fmt: skip

    def _print_of_logs(self, day: date) -> str | None:
        return self.logs(day).print

    def _print_of_models(self, _: date) -> str:
        return _hash("evaluate", self._hash_of_reading, self._hash_of_criteria)

    def _prints_of_marts(self) -> Callable[[date], str]:
        """A function that gives the hash of what the marts of a day are made of, as the lake is now."""
        sizes = {
            table: sorted(self._lake.backend.sizes(f"{table}/day=*/*.parquet").items()) for table in _INPUTS
        }  # fmt: skip
        project = [*_of_project(), *_own(self._config.workspace, "features.csv", "dbt/**/*")]
        common = _hash(self._hash_of_reading, self._hash_of_criteria, _hash_of_files(project))
        reach = timedelta(days=self._config.window_days + _BEFORE_WINDOW)

        def of(day: date) -> str:
            first, last = f"day={day - reach}", f"day={day}"
            inputs = (
                f"{name} {size}"
                for files in sizes.values()
                for name, size in files
                if first <= name.split("/")[1] <= last
            )
            return _hash(common, *inputs)

        return of

    @cached_property
    def _hash_of_reading(self) -> str:
        """Of the configuration, the test sets, and the workspace's own formats and embedding function."""
        config = self._config
        values = [f"{key}={getattr(config, key)!r}" for key in Config.model_fields if key not in _UNRELATED]
        sets = [config.dev_set, *(route.holdout for route in config.routes.values())]
        function = config.embedding.python
        own = [*_own(config.workspace, "formats/*.sql"), *([config.workspace / function.file] if function else [])]
        return _hash(*values, _hash_of_files([*(path for path in sets if path), *own]))

    @cached_property
    def _hash_of_criteria(self) -> str:
        found = current_versions(self._setup, date.min + timedelta(days=2))
        return _hash(*sorted(f"{one.route}\0{one.criterion}\0{one.criterion_version}" for one in found))


def _of_project() -> list[Path]:
    """The files that say how the marts are made."""
    return sorted(
        path for path in DBT_PROJECT.rglob("*")
        if path.suffix in _SUFFIXES and not {"target", "dbt_packages"} & set(path.relative_to(DBT_PROJECT).parts)
    )  # fmt: skip


def _own(workspace: Path, *patterns: str) -> list[Path]:
    """What a workspace adds to genchi, by its place there."""
    found = (path for pattern in patterns for path in workspace.glob(pattern))
    return sorted(path for path in found if path.suffix in _SUFFIXES and "target" not in path.parts)


def _hash_of_files(paths: Iterable[Path]) -> str:
    return _hash(*(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in paths if path.exists()))


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]

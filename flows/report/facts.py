"""What the page says, read from the marts and the lake. Nothing is computed here that a mart already holds.

A mart or a whole warehouse that does not exist gives no rows and a name in `Facts.missing`; it is never an error. What
cannot be read gives no rows and a failed check, so that the page of a night is written whatever has failed.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any, TypeVar

from flows.config import Config
from flows.errors import RunError, in_one_line
from flows.lake import Lake
from flows.report.evaluation_rows import Comparison, Failure, Flip, FrontierRow, Pin, Score
from flows.report.evidence import read_texts
from flows.report.rows import (
    Breach,
    CallText,
    Expectation,
    Facts,
    FeatureDay,
    Freshness,
    LandedFile,
    Structure,
    TopicDay,
    Usage,
)
from flows.stage_failures import with_failures
from flows.warehouse import query

Row = TypeVar("Row")

_BEST_FIRST = "route, pass_rate desc nulls last, cost_per_1k_calls, model"

MARTS = (
    "fct_usage_daily",
    "fct_structure_daily",
    "fct_feature_skew_daily",
    "fct_topic_drift_daily",
    "fct_holdout_freshness",
    "fct_eval_scores",
    "fct_model_comparisons",
    "fct_slice_comparisons",
    "fct_model_frontier",
    "fct_request_failures",
    "fct_example_flips",
    "fct_pin_integrity_daily",
    "fct_breaches",
)


def read_facts(config: Config, day: date, failures: Sequence[str] = ()) -> Facts:
    """Everything for the page of `day`; `failures` are the failed stages of the night."""
    unread: list[str] = []
    marts, lake = _Marts(config, unread), _Tables(config.open_lake(), day, unread)
    window, in_window = (day - timedelta(days=config.window_days), day), "day between ? and ?"
    usage = marts.rows(Usage, "fct_usage_daily", in_window, window, "route, model_served, day")
    breaches = _breaches(marts, day)
    stored = lake.rows(Expectation, "expectation_results")
    landed = lake.rows(LandedFile, "manifest")
    quarantined = Counter(str(row["reason"]) for row in lake.read("quarantine", ["reason"]))
    texts, typical = _texts(config, lake.lake, day, breaches, unread)
    nightly = "run_id = 'nightly-' || day"  # what `genchi compare` found is an answer to a person, not of the night
    of_night, by_candidate = f"day = ? and {nightly}", "candidate, route, criterion"
    return Facts(
        app=config.app,
        day=day,
        window_days=config.window_days,
        calls=sum(row.calls for row in usage if row.day == day),
        compared=_compared(marts, day),
        breaches=breaches,
        texts=texts,
        typical=typical,
        series=_series(marts, breaches, window),
        comparisons=marts.rows(
            Comparison, "fct_model_comparisons", of_night, (day,), by_candidate, without=frozenset({"slice"})
        ),
        slices=marts.rows(Comparison, "fct_slice_comparisons", of_night, (day,), f"{by_candidate}, slice"),
        scores=marts.rows(
            Score, "fct_eval_scores", f"{in_window} and {nightly}", window, "route, criterion, arm desc, model, day"
        ),
        frontier=marts.rows(
            FrontierRow,
            "fct_model_frontier",
            of_night,
            (day,),
            _BEST_FIRST,
        ),
        failures=marts.rows(Failure, "fct_request_failures", of_night, (day,), "route, model, error_class"),
        flips=marts.rows(
            Flip,
            "fct_example_flips",
            f"{of_night} and (flip is not null or state = 'flaky')",
            (day,),
            "model, route, criterion, flip desc nulls last, example_id",
        ),
        pins=_pins(marts, day),
        usage=usage,
        structure=marts.rows(Structure, "fct_structure_daily", in_window, window, "route, model_served, day"),
        topics=marts.rows(TopicDay, "fct_topic_drift_daily", in_window, window, "route, topic_id, day"),
        freshness=marts.rows(Freshness, "fct_holdout_freshness", "day = ?", (day,), "route"),
        landed=tuple(sorted(landed, key=lambda row: (row.source, row.file))),
        quarantined=tuple(sorted(quarantined.items(), key=lambda item: (-item[1], item[0]))),
        expectations=_expectations(stored, [*failures, *unread]),
        missing=marts.missing(),
    )


class _Marts:
    """The marts of one warehouse, some or all of which may not be there. What cannot be read is added to `unread`."""

    def __init__(self, config: Config, unread: list[str]) -> None:
        self.warehouse, self.unread = config.warehouse, unread
        sql = "select table_name as name from information_schema.tables where table_schema = 'marts'"
        found = self._query(sql) if self.warehouse.exists() else []
        self.tables = {row["name"] for row in found}

    def _query(self, sql: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        try:
            return query(self.warehouse, sql, values)
        except RunError as error:
            _note(self.unread, error)
            return []

    def missing(self) -> tuple[str, ...]:
        """The marts that are not there, by name."""
        return tuple(name for name in MARTS if name not in self.tables)

    def rows(
        self,
        kind: type[Row],
        table: str,
        where: str,
        values: Sequence[object],
        order: str,
        *,
        without: frozenset[str] = frozenset(),
    ) -> tuple[Row, ...]:
        """The rows of a mart as `kind`, whose fields, but those in `without`, are the columns that are read."""
        columns = [column.name for column in fields(kind) if column.name not in without]  # type: ignore[arg-type]  # each is a dataclass
        return tuple(kind(**row) for row in self.ask(table, ", ".join(columns), f"{where} order by {order}", values))

    def ask(self, table: str, columns: str, where: str, values: Sequence[object]) -> list[dict[str, Any]]:
        """Some columns of a mart as dicts; none where the mart does not exist."""
        if table not in self.tables:
            return []
        return self._query(f"select {columns} from marts.{table} where {where}", values)


class _Tables:
    """The tables of a lake on one day. What cannot be read is added to `unread`."""

    def __init__(self, lake: Lake, day: date, unread: list[str]) -> None:
        self.lake, self.day, self.unread = lake, day, unread

    def read(self, table: str, columns: Sequence[str]) -> list[dict[str, Any]]:
        """Some columns of a table as dicts."""
        try:
            found: list[dict[str, Any]] = self.lake.read(table, self.day, columns=columns).to_pylist()
        except (RunError, OSError) as error:
            _note(self.unread, error)
            return []
        return found

    def rows(self, kind: type[Row], table: str) -> tuple[Row, ...]:
        """The rows of a table as `kind`, whose fields are the columns that are read."""
        names = [column.name for column in fields(kind)]  # type: ignore[arg-type]  # each is a dataclass
        return tuple(kind(**row) for row in self.read(table, names))


def _texts(
    config: Config, lake: Lake, day: date, breaches: Sequence[Breach], unread: list[str]
) -> tuple[dict[str, CallText], dict[str, CallText]]:
    """Example and typical calls; none where they cannot be read."""
    try:
        return read_texts(config, lake, day, breaches)
    except RunError as error:
        _note(unread, error)
        return {}, {}


def _note(unread: list[str], error: Exception) -> None:
    """Add an error, once."""
    told = f"report: {in_one_line(error)}"
    if told not in unread:
        unread.append(told)


def _expectations(stored: Sequence[Expectation], failures: Sequence[str]) -> tuple[Expectation, ...]:
    """The stored results and the failed stages, in their order."""
    names = [column.name for column in fields(Expectation)]
    rows = with_failures([vars(row) for row in stored], failures)
    found = (Expectation(**{name: row[name] for name in names}) for row in rows)
    return tuple(sorted(found, key=lambda row: (row.suite, row.expectation, row.subject)))


def _compared(marts: _Marts, day: date) -> int:
    """How many features had both a reference and a value that day."""
    where = "day = ? and value_reference is not null and value_current is not null"
    found = marts.ask("fct_feature_skew_daily", "count(distinct (route, side, feature)) as n", where, (day,))
    return int(found[0]["n"]) if found else 0


def _pins(marts: _Marts, day: date) -> tuple[Pin, ...]:
    """The pins of a day; one that has a row on an earlier day has a past."""
    earlier = {row["model"] for row in marts.ask("fct_pin_integrity_daily", "distinct model", "day < ?", (day,))}
    pins = marts.rows(Pin, "fct_pin_integrity_daily", "day = ?", (day,), "model", without=frozenset({"has_past"}))
    return tuple(replace(pin, has_past=pin.model in earlier) for pin in pins)


def _breaches(marts: _Marts, day: date) -> tuple[Breach, ...]:
    columns = "kind, subject, severity, summary, evidence_json, first_seen, nights"
    rows = marts.ask("fct_breaches", columns, "day = ? order by kind, subject", (day,))
    return tuple(Breach(evidence=_evidence(row.pop("evidence_json")), **row) for row in rows)


def _evidence(text: str | None) -> dict[str, Any]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _series(marts: _Marts, breaches: Sequence[Breach], window: tuple[date, date]) -> tuple[FeatureDay, ...]:
    """The window's days of every feature in a breach."""
    features = sorted({str(breach.evidence["feature"]) for breach in breaches if "feature" in breach.evidence})
    if not features:
        return ()
    marks = ", ".join("?" * len(features))
    return marts.rows(
        FeatureDay,
        "fct_feature_skew_daily",
        f"day between ? and ? and feature in ({marks})",
        (*window, *features),
        "route, side, feature, reference, model_served, prompt_version, day",
    )

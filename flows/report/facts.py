"""What the page says, read from the marts and the lake. Nothing is computed here that a mart already holds.

A mart or a whole warehouse that does not exist gives no rows and a name in `Facts.missing`; it is never an error. What
cannot be read gives no rows and a failed check, so that the page of a night is written whatever has failed.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any, TypeVar

from flows import acknowledgements
from flows.config import Config, workspace_features
from flows.errors import ConfigError, RunError, in_one_line
from flows.lake import Lake
from flows.marts import kept_open, open_marts
from flows.report.evaluation_rows import Comparison, Failure, Flip, FrontierRow, Pin, Score
from flows.report.evidence import read_questions, read_rejected, read_texts, without_texts
from flows.report.incident_rows import COLUMNS, Incident, in_order, incident_of
from flows.report.json_routes import json_routes
from flows.report.people_rows import Alignment, CriterionDrift, LabelRate
from flows.report.review_rows import MARTS as OF_REVIEW
from flows.report.review_rows import read_review
from flows.report.rows import (
    Breach,
    Expectation,
    Facts,
    FeatureDay,
    Freshness,
    LandedFile,
    NightStage,
    Seam,
    Structure,
    TopicDay,
    Usage,
)
from flows.stage_failures import with_failures

Row = TypeVar("Row")
T = TypeVar("T")

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
    "fct_criteria_drift",
    "fct_label_rates",
    "fct_judge_alignment",
    "fct_breaches",
    "fct_incidents",
    *OF_REVIEW,
)


def read_facts(config: Config, day: date, failures: Sequence[str] = ()) -> Facts:
    """Everything for the page of `day`; `failures` are the failed stages of the night."""
    with kept_open(config):
        return _read_facts(config, day, failures)


def _read_facts(config: Config, day: date, failures: Sequence[str]) -> Facts:
    unread: list[str] = []
    marts, lake = _Marts(config, unread), _Tables(config.open_lake(), day, unread)
    window, in_window = (day - timedelta(days=config.window_days), day), "day between ? and ?"
    usage = marts.rows(Usage, "fct_usage_daily", in_window, window, "route, model_served, day")
    incidents, breaches = _incidents(marts, day), _breaches(marts, day)
    compared, compared_with = _compared(marts, day)
    stored = lake.rows(Expectation, "expectation_results")
    landed = lake.rows(LandedFile, "manifest")
    quarantined = _known(unread, lambda: read_rejected(config, lake.lake, day)) or ()
    texts, typical = _known(unread, lambda: read_texts(config, lake.lake, day, incidents, breaches)) or ({}, {})
    seen = _known(unread, lambda: acknowledgements.in_force(lake.lake, day)) or {}
    nightly = "run_id = 'nightly-' || day"  # what `genchi compare` found is an answer to a person, not of the night
    of_night, by_candidate = f"day = ? and {nightly}", "candidate, route, criterion"
    flipped = marts.rows(
        Flip,
        "fct_example_flips",
        f"{of_night} and (flip is not null or state = 'flaky')",
        (day,),
        "model, route, criterion, flip desc nulls last, example_id",
    )
    questions = _known(unread, lambda: read_questions(config, lake.lake, day, flipped)) or {}
    return Facts(
        app=config.app,
        day=day,
        window_days=config.window_days,
        calls=sum(row.calls for row in usage if row.day == day),
        compared=compared,
        compared_with=compared_with,
        json_routes=_known(unread, lambda: json_routes(lake.lake, day)) or frozenset(),
        incidents=incidents,
        acknowledged={incident: found.words for incident, found in seen.items()},
        breaches=breaches,
        texts=texts,
        typical=typical,
        series=_series(marts, _features(incidents, breaches), window),
        own_shares=_own_shares(config),
        seams=marts.rows(Seam, "fct_criteria_drift", in_window, window, "route, criterion, day"),
        label_rates=marts.rows(LabelRate, "fct_label_rates", "day = ?", (day,), "route, criterion, window_days"),
        alignments=marts.rows(
            Alignment, "fct_judge_alignment", "day = ?", (day,), "route, criterion, judge, criterion_version"
        ),
        relabelled=marts.rows(
            CriterionDrift, "fct_criteria_drift", f"{in_window} and n_relabelled > 0", window, "route, criterion, day"
        ),
        comparisons=marts.rows(
            Comparison, "fct_model_comparisons", of_night, (day,), by_candidate, without=frozenset({"slice"})
        ),
        slices=marts.rows(Comparison, "fct_slice_comparisons", of_night, (day,), f"{by_candidate}, slice"),
        scores=marts.rows(
            Score, "fct_eval_scores", f"{in_window} and {nightly}", window, "route, criterion, arm desc, model, day"
        ),
        frontier=marts.rows(FrontierRow, "fct_model_frontier", of_night, (day,), _BEST_FIRST),
        failures=marts.rows(Failure, "fct_request_failures", of_night, (day,), "route, model, error_class"),
        flips=flipped if config.evidence == "texts" else without_texts(flipped),
        questions=questions,
        pins=_pins(marts, day),
        usage=usage,
        structure=marts.rows(Structure, "fct_structure_daily", in_window, window, "route, model_served, day"),
        topics=marts.rows(TopicDay, "fct_topic_drift_daily", in_window, window, "route, topic_id, day"),
        freshness=marts.rows(Freshness, "fct_holdout_freshness", "day = ?", (day,), "route"),
        landed=tuple(sorted(landed, key=lambda row: (row.source, row.file))),
        quarantined=quarantined,
        expectations=_expectations(stored, [*failures, *unread]),
        missing=marts.missing(),
        stages=_stages(marts, lake, day, config.window_days),
        review=_known(unread, lambda: read_review(config, lake.lake, day, marts.ask)),
    )


class _Marts:
    """The marts of one warehouse, some or all of which may not be there. What cannot be read is added to `unread`."""

    def __init__(self, config: Config, unread: list[str]) -> None:
        self.unread, self.tables = unread, set[str]()
        try:
            self._marts = open_marts(config)
            self.tables = set(self._marts.columns())
        except RunError as error:
            _note(self.unread, error)

    def _query(self, sql: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
        try:
            return self._marts.query(sql, values)
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


def _own_shares(config: Config) -> frozenset[str]:
    """None where `features.csv` is wrong, which the build of the marts has told."""
    with suppress(ConfigError):
        return frozenset(row.feature for row in workspace_features(config.workspace) if row.is_shown_in_percent)
    return frozenset()


def _known(unread: list[str], read: Callable[[], T]) -> T | None:
    """What `read` returns; None where the lake cannot be read."""
    try:
        return read()
    except RunError as error:
        _note(unread, error)
        return None


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


def _compared(marts: _Marts, day: date) -> tuple[int, frozenset[str]]:
    """How many features had both a reference and a value that day, and which references there were."""
    where = "day = ? and value_reference is not null and value_current is not null"
    columns = "count(distinct (route, side, feature)) as n, array_agg(distinct reference) as found"
    found = marts.ask("fct_feature_skew_daily", columns, where, (day,))
    return (int(found[0]["n"]), frozenset(found[0]["found"] or ())) if found else (0, frozenset())


def _stages(marts: _Marts, lake: "_Tables", day: date, window_days: int) -> tuple[NightStage, ...]:
    """The stages of the window's nights: of this one as far as they have ended, which the mart does not know yet."""
    where, days = "day >= ? and day < ?", (day - timedelta(days=window_days), day)
    names = [column.name for column in fields(NightStage) if column.name != "day"]
    tonight = (NightStage(day=day, **row) for row in lake.read("night_runs", names))
    return (*marts.rows(NightStage, "fct_night_runs", where, days, "day, run, position"), *tonight)


def _pins(marts: _Marts, day: date) -> tuple[Pin, ...]:
    """The pins of a day; one that has a row on an earlier day has a past."""
    earlier = {row["model"] for row in marts.ask("fct_pin_integrity_daily", "distinct model", "day < ?", (day,))}
    pins = marts.rows(Pin, "fct_pin_integrity_daily", "day = ?", (day,), "model", without=frozenset({"has_past"}))
    return tuple(replace(pin, has_past=pin.model in earlier) for pin in pins)


def _incidents(marts: _Marts, day: date) -> tuple[Incident, ...]:
    """The incidents that the day is told about, the most severe first."""
    return in_order([incident_of(row) for row in marts.ask("fct_incidents", ", ".join(COLUMNS), "day = ?", (day,))])


def _breaches(marts: _Marts, day: date) -> tuple[Breach, ...]:
    columns = "kind, subject, severity, summary, evidence_json, first_seen, nights"
    columns += ", incident_id" if "fct_incidents" in marts.tables else ""  # a warehouse of an older version has neither
    rows = marts.ask("fct_breaches", columns, "day = ? order by kind, subject", (day,))
    return tuple(Breach(evidence=_evidence(row.pop("evidence_json")), **row) for row in rows)


def _evidence(text: str | None) -> dict[str, Any]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _features(incidents: Sequence[Incident], breaches: Sequence[Breach]) -> list[str]:
    """The features that moved with an incident or are in a breach."""
    named = {change.feature for incident in incidents for change in incident.changes}
    return sorted(named | {str(breach.evidence["feature"]) for breach in breaches if "feature" in breach.evidence})


def _series(marts: _Marts, features: Sequence[str], window: tuple[date, date]) -> tuple[FeatureDay, ...]:
    """The window's days of `features`."""
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
